/** Redeliveries that come up just after a waiting pull was taken back. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { losesToDeadPulls } from '../../../src/brokers/jetstream/dead-pulls.ts';
import { connect } from '../../../src/index.ts';
import { startBroker } from '../../../src/testing/start-broker.ts';
import { serversUnderTest } from '../../support/servers.ts';

test('knows which servers lose redeliveries to dead pulls', () => {
  for (const version of ['2.9.10', '2.9.25', '2.10.0', '2.10.7', '2.10.15', '2.10.7-memphis']) {
    assert.equal(losesToDeadPulls(version), true, version);
  }
  for (const version of ['2.10.16', '2.10.27', '2.11.0', '2.12.0-RC.1', '2.15.2', '3.0.0']) {
    assert.equal(losesToDeadPulls(version), false, version);
  }
});

for (const { binary, version } of serversUnderTest()) {
  test(`nats-server ${version}: a delayed message comes back after a wait that another partition ended, and an acked one does not`, async () => {
    await using broker = await startBroker({ binary });
    const memphis = await connect({ servers: [broker.url] });
    try {
      await memphis.createStation('jobs', { partitionsNumber: 2, storageType: 'memory' });
      const consumer = await memphis.createConsumer('jobs', { group: 'g', maxAckTimeMs: 30_000 });
      for (const text of ['delayed', 'acked']) await memphis.produce('jobs', text, { partition: 1 });
      const [delayed, acked] = await consumer.fetch({ batchSize: 10, batchMaxWaitMs: 0 });
      await Promise.all([delayed?.delay(300), acked?.ack()]);

      // waits on both partitions; the message in the second one ends the wait on the first
      const waiting = consumer.fetch({ batchSize: 10, batchMaxWaitMs: 5_000 });
      await memphis.produce('jobs', 'other', { partition: 2 });
      const others = await waiting;
      await Promise.all(others.map((message) => message.ack()));

      // Nobody pulls while the delay ends: the broker is left alone with whatever stayed behind.
      await new Promise((resolve) => setTimeout(resolve, 600));
      const back = await consumer.fetch({ batchSize: 10, batchMaxWaitMs: 2_000 });
      const seen = (messages: typeof back) => messages.map((message) => [message.text(), message.deliveryCount]);
      assert.deepEqual(seen(others), [['other', 1]]);
      assert.deepEqual(seen(back), [['delayed', 2]]);
    } finally {
      await memphis.close();
    }
  });
}
