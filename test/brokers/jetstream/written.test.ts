/** When a message that nobody waits for counts as written. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { publish } from '../../../src/brokers/jetstream/publish.ts';
import type { Stations } from '../../../src/brokers/jetstream/stations.ts';
import type { Link } from '../../../src/connection/link.ts';
import type { Asking, Connection, Frame } from '../../../src/connection/port.ts';
import { isMemphisError, MemphisError } from '../../../src/model/errors.ts';

const message = { station: 'jobs', partition: 1, data: new Uint8Array(1), headers: {}, producerName: 'p' };
const data = new TextEncoder().encode('{"stream":"jobs$1","seq":7}');

/** Publishes over sessions of which so many have just ended; tells what happened, in order. */
async function write(ended: number): Promise<string[]> {
  const happened: string[] = [];
  let dialled = 0;
  const connect = (): Connection => {
    const isClosed = dialled++ < ended;
    const request = async (_subject: string, _data: Uint8Array, asking: Asking<unknown>): Promise<unknown> => {
      happened.push(isClosed ? 'refused' : 'put');
      if (isClosed) throw new MemphisError('CONNECTION_LOST', 'The session has ended.');
      await new Promise(setImmediate);
      return asking.read({ status: 0, data } as Frame);
    };
    return { isClosed, request } as unknown as Connection;
  };
  const link = { atHand: undefined, wasOpen: true, ready: async () => connect(), discard: () => {} };
  const view = { partitions: [1], idempotencyWindowMs: 60_000 };
  const stored = publish(link as unknown as Link, { known: () => view } as unknown as Stations, message, {
    timeoutMs: 300,
    onWritten: () => happened.push('written'),
  });
  await stored.then(
    ({ sequence }) => happened.push(`stored ${sequence}`),
    (error: unknown) => happened.push(isMemphisError(error) ? error.code : String(error)),
  );
  return happened;
}

test('a message is written before it is stored', async () => {
  assert.deepEqual(await write(0), ['put', 'written', 'stored 7']);
});

test('what was put on a session that had ended is not written; the next try is', async () => {
  assert.deepEqual(await write(1), ['refused', 'put', 'written', 'stored 7']);
});

test('a message that no session took was never written', async () => {
  const happened = await write(Number.POSITIVE_INFINITY);
  assert.equal(happened.at(-1), 'CONNECTION_LOST');
  assert.ok(!happened.includes('written'), happened.join());
});
