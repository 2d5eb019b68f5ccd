/** A delay that is asked for when the time to settle is over: somebody else may have the message by then. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { readersOf } from '../../../src/brokers/readers.ts';
import { connect } from '../../../src/index.ts';
import { startBroker } from '../../../src/testing/start-broker.ts';
import { serversUnderTest } from '../../support/servers.ts';

const options = { station: 'jobs', group: 'g', ackWaitMs: 300, maxDeliveries: 10 } as const;
/** Long enough to be parked. */
const LONG = { action: 'retry', delayMs: 1_300 } as const;
const AT_ONCE = { action: 'retry', delayMs: 0 } as const;
const cases = [
  { outcome: LONG, isTaken: true, words: 'a long delay' },
  { outcome: LONG, isTaken: false, words: 'a long delay' },
  { outcome: AT_ONCE, isTaken: true, words: 'no delay' },
] as const;
const take = { batchSize: 1, waitMs: 1_000 } as const;

for (const { binary, version } of serversUnderTest()) {
  for (const { outcome, isTaken, words } of cases) {
    const what = isTaken ? 'it does not come again where somebody else has acked it' : 'it comes when it should';
    test(`nats-server ${version}: ${words} is asked for too late, and ${what}`, async () => {
      await using broker = await startBroker({ binary });
      const slow = await connect({ servers: [broker.url] });
      const other = await connect({ servers: [broker.url] });
      await slow.createStation('jobs', { storageType: 'memory' });
      await slow.produce('jobs', 'x');
      const batch = await readersOf(await slow.session.broker())
        .reader(options)
        .pull(take);
      const [message] = batch.messages;
      assert.ok(message);
      await sleep(options.ackWaitMs + 100);
      const reader = readersOf(await other.session.broker()).reader(options);
      if (isTaken) {
        const taken = await reader.pull(take);
        for (const one of taken.messages) await taken.settle(one, { action: 'ack' });
      }
      const startedAt = performance.now();
      assert.equal(await batch.settle(message, outcome), 'retried');
      let again = 0;
      while (again === 0 && performance.now() - startedAt < 4_000) {
        again = (await reader.pull({ batchSize: 1, waitMs: 300 })).messages.length;
      }
      assert.equal(again, isTaken ? 0 : 1);
      assert.ok(performance.now() - startedAt >= outcome.delayMs - 20);
      await slow.close();
      await other.close();
    });
  }
}
