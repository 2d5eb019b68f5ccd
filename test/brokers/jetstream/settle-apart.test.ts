/** What is settled in one go: messages that need nothing stored do not wait for one whose dead letter cannot be. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readersOf } from '../../../src/brokers/readers.ts';
import { openLean } from '../../../src/connection/lean/session.ts';
import { connect, isMemphisError } from '../../../src/index.ts';
import { startBroker } from '../../../src/testing/start-broker.ts';
import { withRawApi } from '../../support/raw-api.ts';
import { serversUnderTest } from '../../support/servers.ts';

for (const { binary, version } of serversUnderTest()) {
  test(`nats-server ${version}: an ack is confirmed while a dead letter waits for its stream`, async () => {
    await using broker = await startBroker({ binary });
    const memphis = await connect({ servers: [broker.url] });
    // somebody who listens and never answers, as a stream without a leader on a cluster
    const silent = openLean({ server: `127.0.0.1:${broker.port}`, name: 'silent', timeoutMs: 2_000 });
    try {
      await memphis.createStation('jobs', { storageType: 'memory' });
      await withRawApi(broker.port, (api) => api('STREAM.DELETE.jobs$dls'));
      silent.subscribe('jobs$dls.>', { onFrame: () => {} });
      await silent.flush(2_000);
      await memphis.produceBatch('jobs', ['good', 'bad']);
      const reader = readersOf(await memphis.session.broker()).reader({
        station: 'jobs',
        group: 'g',
        ackWaitMs: 30_000,
        maxDeliveries: 5,
      });
      const batch = await reader.pull({ batchSize: 2, waitMs: 1_000, settleByMs: Date.now() + 3_000 });
      const [good, bad] = batch.messages;
      assert.ok(good && bad);
      const startedAt = performance.now();
      const ends = await Promise.all([
        batch.settle(good, { action: 'ack' }).then(() => performance.now() - startedAt),
        batch.settle(bad, { action: 'deadLetter', reason: 'bad' }).catch((error: unknown) => error),
      ]);
      assert.ok(isMemphisError(ends[1], 'SETTLE_UNCONFIRMED'), String(ends[1]));
      assert.ok(ends[0] < 1_500, `acked after ${ends[0]} ms`);
    } finally {
      await silent.close();
      await memphis.close();
    }
  });
}
