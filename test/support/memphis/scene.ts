/** A stand-in, a station and a client, for tests of what goes wrong. */

import type { TestContext } from 'node:test';
import { type Client, connect } from '../../../src/index.ts';
import type { StationOptions } from '../../../src/model/station-settings.ts';
import { type StandIn, startStandIn } from './stand-in.ts';

export const STATION = 'jobs';

export interface FaultScene {
  readonly standIn: StandIn;
  readonly memphis: Client;
  /** Another client. */
  readonly open: () => Promise<Client>;
}

/** All of it goes with the test. */
export async function scene(t: TestContext, options: StationOptions = {}): Promise<FaultScene> {
  const standIn = await startStandIn();
  const clients: Client[] = [];
  const open = async (): Promise<Client> => {
    const client = await connect({ servers: [standIn.url], apiUrl: standIn.apiUrl, timeoutMs: 3_000 });
    clients.push(client);
    return client;
  };
  t.after(async () => {
    standIn.faults.silent = [];
    for (const client of clients) await client.close().catch(() => {});
    await standIn[Symbol.asyncDispose]();
  });
  const memphis = await open();
  await memphis.createStation(STATION, { storageType: 'memory', ...options });
  return { standIn, memphis, open };
}
