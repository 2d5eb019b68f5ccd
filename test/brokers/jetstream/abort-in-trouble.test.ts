/** A pull that is told to stop while its broker is down does not wait for the broker to come back. */

import assert from 'node:assert/strict';
import diagnostics from 'node:diagnostics_channel';
import { test } from 'node:test';
import { readersOf } from '../../../src/brokers/readers.ts';
import { connect, isMemphisError } from '../../../src/index.ts';
import { startBroker } from '../../../src/testing/start-broker.ts';
import { serversUnderTest } from '../../support/servers.ts';

for (const { binary, version } of serversUnderTest()) {
  test(`nats-server ${version}: an abort ends a pull whose broker is gone`, async () => {
    await using server = await startBroker({ binary });
    const memphis = await connect({ servers: [server.url] });
    try {
      await memphis.createStation('jobs', { storageType: 'memory' });
      const broker = await memphis.session.broker();
      const reader = readersOf(broker).reader({ station: 'jobs', group: 'g', ackWaitMs: 30_000, maxDeliveries: 5 });
      await reader.pull({ batchSize: 1, waitMs: 0 });
      const stopping = new AbortController();
      const pull = reader.pull({ batchSize: 1, waitMs: 20_000, signal: stopping.signal });
      const failed = assert.rejects(pull, (error) => isMemphisError(error) && error.retryable);
      const inTrouble = new Promise<void>((resolve) => {
        const onRetry = (): void => {
          diagnostics.unsubscribe('memphis-serverless:retry', onRetry);
          resolve();
        };
        diagnostics.subscribe('memphis-serverless:retry', onRetry);
      });
      await server.kill();
      await inTrouble;
      const abortedAt = performance.now();
      stopping.abort();
      await failed;
      assert.ok(performance.now() - abortedAt < 5_000, 'not the rest of wait and patience');
    } finally {
      await memphis.close();
    }
  });
}
