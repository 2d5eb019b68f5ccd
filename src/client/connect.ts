/** `connect`: options -> a client whose credentials the broker has accepted. */

import { openApi } from '../brokers/memphis/api-access.ts';
import type { Broker } from '../model/broker.ts';
import type { Given } from '../model/option-spec.ts';
import { clientOptions, connectOptions } from '../model/options/connect.ts';
import { resolveOptions } from '../model/resolve-options.ts';
import { lookUp } from '../schemas/look-up.ts';
import { Client } from './client.ts';
import { makeSession } from './session.ts';

const table = { ...connectOptions, ...clientOptions };

/** Options of `connect`; what is left out comes from `MEMPHIS_*` variables, then from the defaults. */
export interface ConnectOptions extends Given<typeof connectOptions>, Given<typeof clientOptions> {}

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
  const { apiUrl, ...settings } = resolveOptions('connect', table, options, process.env);
  const api = openApi(settings, apiUrl);
  const session = makeSession(settings, lookUp);
  let broker: Broker;
  try {
    broker = await session.broker({ isAccepted: true });
  } catch (error) {
    await session.close();
    throw error;
  }
  const client = new Client(session, api);
  client.watchSchemas(broker);
  return client;
}
