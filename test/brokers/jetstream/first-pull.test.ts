/** The first pull of a process: what came back is there for it too, whatever is answered first. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Group } from '../../../src/brokers/jetstream/groups.ts';
import { Retries } from '../../../src/brokers/jetstream/retries.ts';
import { Stations } from '../../../src/brokers/jetstream/stations.ts';
import type { Link } from '../../../src/connection/link.ts';
import type { Connection, Frame } from '../../../src/connection/port.ts';

/** Knows one durable a stream, and is slow to tell their names. */
const connection = {
  request: async (subject: string): Promise<Frame> => {
    const isList = subject.startsWith('$JS.API.CONSUMER.NAMES.');
    if (isList) await sleep(50);
    const reply = isList ? { total: 1, consumers: ['g$1'] } : { config: { ack_wait: 30_000_000_000 } };
    const data = new TextEncoder().encode(JSON.stringify(reply));
    return { subject: '', reply: '', headers: [], status: 0, statusText: '', data };
  },
} as unknown as Connection;
const link = { ready: async () => connection, wasOpen: true } as unknown as Link;

test('the lanes of a first pull hold those of copies that came back', async () => {
  const options = { station: 'jobs', group: 'g', ackWaitMs: 30_000, maxDeliveries: 5 };
  const group = new Group(link, new Stations(link), new Retries(link), options);
  const looked = group.refresh(connection, 1_000);
  const lanes = await group.lanes(connection, [1]);
  await looked;
  assert.deepEqual(
    lanes.map(({ stream, durable }) => `${stream} ${durable}`),
    ['jobs$1 g', 'jobs$retry g$1'],
  );
});
