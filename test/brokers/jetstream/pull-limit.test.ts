/** What is looked for beside a pull does not hold it up beyond the time that there is. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readersOf } from '../../../src/brokers/readers.ts';
import { connect, isMemphisError } from '../../../src/index.ts';
import { startBroker } from '../../../src/testing/start-broker.ts';
import { openDeafReader } from '../../support/deaf-reader.ts';
import { endsWithin } from '../../support/ends-within.ts';
import { startProxy } from '../../support/proxy.ts';
import { serversUnderTest } from '../../support/servers.ts';

/** Each of these looks may take a second. */
const LEFT_MS = 700;
const options = { station: 'jobs', group: 'g', ackWaitMs: 30_000, maxDeliveries: 3 } as const;

for (const { binary, version } of serversUnderTest()) {
  for (const [what, subject, laterMs] of [
    ['durables of copies that come back', '$JS.API.CONSUMER.NAMES.', 3_000],
    ['a schema', '$JS.API.STREAM.MSG.GET.KV_', 31_000],
  ] as const) {
    test(`nats-server ${version} does not answer who looks for ${what}: the pull ends in its time`, async (t) => {
      await using broker = await startBroker({ binary });
      await using scene = await openDeafReader(broker.port, options);
      const { deaf, reader } = scene;
      const first = await reader.pull({ batchSize: 1, waitMs: 1_000 });
      for (const message of first.messages) await first.settle(message, { action: 'ack' });
      const realNow = Date.now;
      t.mock.method(Date, 'now', () => realNow() + laterMs);
      deaf.deafen(subject, 1);
      const pulled = reader.pull({ batchSize: 1, waitMs: 0, settleByMs: Date.now() + LEFT_MS });
      assert.ok(await endsWithin(pulled, LEFT_MS), 'it waited for the look');
      assert.deepEqual((await pulled).messages, []);
      assert.equal(deaf.unheard, 1);
    });
  }

  test(`nats-server ${version} lives while who leads the durable does not answer: the pull ends in its time`, async () => {
    await using broker = await startBroker({ binary });
    await using scene = await openDeafReader(broker.port, options);
    const { deaf, reader } = scene;
    const first = await reader.pull({ batchSize: 1, waitMs: 1_000 });
    for (const message of first.messages) await first.settle(message, { action: 'ack' });
    deaf.deafen('$JS.API.CONSUMER.MSG.NEXT.');
    const pulled = reader.pull({ batchSize: 1, waitMs: 0, settleByMs: Date.now() + LEFT_MS });
    assert.ok(await endsWithin(pulled, LEFT_MS), 'it waited for a second');
    await assert.rejects(pulled, (error) => isMemphisError(error, 'TIMEOUT'));
    assert.equal(deaf.unheard, 1);
  });

  test(`nats-server ${version} is a little away: a pull with next to no time is answered, and its connection stays`, async () => {
    await using broker = await startBroker({ binary });
    await using proxy = await startProxy(broker.port);
    const memphis = await connect({ servers: [proxy.url] });
    try {
      await memphis.createStation(options.station, { storageType: 'memory' });
      const reader = readersOf(await memphis.session.broker()).reader(options);
      await reader.pull({ batchSize: 1, waitMs: 0 });
      proxy.slowDown(20);
      for (const leftMs of [-50, 1, 10]) {
        const { messages } = await reader.pull({ batchSize: 1, waitMs: 0, settleByMs: Date.now() + leftMs });
        assert.deepEqual(messages, []);
      }
      assert.equal(proxy.accepted(), 1);
    } finally {
      await memphis.close();
    }
  });
}
