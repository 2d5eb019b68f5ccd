/** `connect`: options -> a client whose credentials the broker has accepted. */

import type { Given } from '../model/option-spec.ts';
import { connectOptions } from '../model/options.ts';
import { resolveOptions } from '../model/resolve-options.ts';
import { Client } from './client.ts';
import { makeSession } from './session.ts';

/** Options of `connect`; what is left out comes from `MEMPHIS_*` variables, then from the defaults. */
export type ConnectOptions = Given<typeof connectOptions>;

/**
 * Connects to a broker.
 *
 * @throws MemphisError `INVALID_OPTION`, `CONNECT_FAILED`, `AUTHENTICATION_FAILED`, `TLS_FAILED`, `UNSUPPORTED`
 * @example
 * ```ts
 * const memphis = await connect({ servers: ['nats://127.0.0.1:4222'] });
 * await memphis.createStation('orders', { partitionsNumber: 2 });
 * await memphis.produce('orders', { id: 1 });
 * await memphis.close();
 * ```
 */
export async function connect(options?: ConnectOptions): Promise<Client> {
  const session = makeSession(resolveOptions('connect', connectOptions, options, process.env));
  try {
    await session.broker();
  } catch (error) {
    await session.close();
    throw error;
  }
  return new Client(session);
}
