/** Waits until a group has heard of what was stored: a server tells its consumers behind the answer to who stored it. */

import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '../../src/client/client.ts';

/** Without it, a pull that takes what is there may come too early. */
export async function untilPending(memphis: Client, station: string, group: string, count: number): Promise<void> {
  for (let looks = 0; looks < 500; looks++) {
    const { groups } = await memphis.describeStation(station);
    if (groups.find(({ name }) => name === group)?.pending === count) return;
    await sleep(10);
  }
  throw new Error(`Group ${group} of ${station} has not heard of ${count} messages within 5 s.`);
}
