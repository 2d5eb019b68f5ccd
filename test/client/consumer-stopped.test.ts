/** A consumer that is stopped while its broker cannot be reached. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Client, type Consumer, connect } from '../../src/index.ts';
import type { GroupState } from '../../src/model/station-description.ts';
import { startBroker } from '../../src/testing/start-broker.ts';
import { startProxy } from '../support/proxy.ts';

function isEmpty(group: GroupState | undefined): boolean {
  return group?.pending === 0 && group.ackPending === 0;
}

async function acksOneByOne(consumer: Consumer): Promise<void> {
  for await (const message of consumer) await message.ack();
}

/** Ways to read in the background, and to end that; the reading ends without an error. */
const ways = {
  'consume, stop()': {
    read: async (consumer: Consumer) =>
      consumer.consume(async (messages) => {
        for (const message of messages) await message.ack();
      }),
    end: (consumer: Consumer) => consumer.stop(),
  },
  'for await, close()': { read: acksOneByOne, end: (_: Consumer, memphis: Client) => memphis.close() },
};

for (const [way, { read, end }] of Object.entries(ways)) {
  test(`${way}: what waits for a dial is given up`, async () => {
    await using broker = await startBroker();
    await using proxy = await startProxy(broker.port);
    const admin = await connect({ servers: [broker.url] });
    await admin.createStation('jobs', { storageType: 'memory' });
    const memphis = await connect({ servers: [proxy.url], timeoutMs: 60_000 });
    const consumer = await memphis.createConsumer('jobs', { group: 'g', batchMaxWaitMs: 200, pullIntervalMs: 50 });
    const reading = read(consumer);
    await admin.produce('jobs', '1');
    while (!isEmpty((await admin.describeStation('jobs')).groups[0])) await sleep(20);
    proxy.swallowNew(true);
    proxy.end();
    while (proxy.accepted() < 2) await sleep(10);
    const startedAt = performance.now();
    await end(consumer, memphis);
    await reading;
    const tookMs = performance.now() - startedAt;
    assert.ok(tookMs < 20_000, `${Math.round(tookMs)} ms`); // two seconds; the dial has a minute
    await memphis.close();
    await admin.close();
  });
}
