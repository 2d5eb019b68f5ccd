/** What stands behind a message that is parked waits as that does: it holds no delivery, and no place among those out. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connect } from '../../../src/index.ts';
import { each, RetryLater, withMemphis } from '../../../src/lambda/index.ts';
import { makeContext } from '../../../src/testing/make-context.ts';
import { startBroker } from '../../../src/testing/start-broker.ts';
import { withRawApi } from '../../support/raw-api.ts';
import { serversUnderTest } from '../../support/servers.ts';

for (const { binary, version } of serversUnderTest()) {
  test(`nats-server ${version}: followers of a parked message are parked, unseen and uncounted`, async (t) => {
    t.mock.method(console, 'error', () => {});
    await using broker = await startBroker({ binary });
    const memphis = await connect({ servers: [broker.url] });
    try {
      await memphis.createStation('jobs', { storageType: 'memory' });
      const config = { durable_name: 'g', ack_policy: 'explicit', ack_wait: 30e9, max_ack_pending: 10 };
      const out = await withRawApi(broker.port, async (api) => {
        await api('CONSUMER.DURABLE.CREATE.jobs$1.g', { stream_name: 'jobs$1', config });
        await memphis.produceBatch('jobs', ['1', '2', '3', '4']);
        const seen: string[] = [];
        const handler = withMemphis(
          each<number>(
            (value, { message }) => {
              seen.push(`${value}/${message.deliveryCount}`);
              if (value === 1 && message.deliveryCount === 1) throw new RetryLater({ delayMs: 1_200 });
            },
            { orderedBy: 'partition', concurrency: 4 },
          ),
          { servers: [broker.url], station: 'jobs', group: 'g', batchMaxWaitMs: 5_000 },
        );
        const first = await handler({}, makeContext());
        assert.deepEqual(
          { ...first },
          {
            station: 'jobs',
            group: 'g',
            batches: 1,
            received: 4,
            acked: 0,
            retried: 1,
            deadLettered: 0,
            givenBack: 3,
          },
        );
        const { num_ack_pending: pending } = await api('CONSUMER.INFO.jobs$1.g');
        while (seen.length < 5) await handler({}, makeContext());
        return { pending, seen: seen.sort() };
      });
      assert.deepEqual(out, { pending: 0, seen: ['1/1', '1/2', '2/1', '3/1', '4/1'] });
    } finally {
      await memphis.close();
    }
  });
}
