/** Hands in a connection that somebody else has made with the official client. */

import type { GivenConnection } from '../model/options/connect.ts';
import { OfficialSession } from './official-session.ts';
import type { OfficialConnection } from './official-types.ts';

/**
 * A connection of the official client (`@nats-io/transport-node`, or a WebSocket one of `@nats-io/nats-core`) as the option
 * `connection` of `connect`, of functions and of pollers. It stays its owner's: it is neither closed nor reconnected here.
 * Servers, credentials and TLS are those that it was made with.
 *
 * @example
 * ```ts
 * import { wsconnect } from '@nats-io/nats-core';
 * import { connect } from 'memphis-serverless';
 * import { fromNats } from 'memphis-serverless/nats';
 *
 * const nc = await wsconnect({ servers: 'wss://broker.example' });
 * const memphis = await connect({ connection: fromNats(nc) });
 * ```
 */
export function fromNats(connection: OfficialConnection): GivenConnection {
  return { open: ({ timeoutMs }) => new OfficialSession(connection, timeoutMs) };
}
