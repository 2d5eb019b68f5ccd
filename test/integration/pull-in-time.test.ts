/** A function whose broker falls silent between two invocations fails within its time, instead of being cut off by its timeout. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connect } from '../../src/index.ts';
import { withMemphis } from '../../src/lambda/index.ts';
import { makeContext } from '../../src/testing/make-context.ts';
import { startBroker } from '../../src/testing/start-broker.ts';
import { serversUnderTest } from '../support/servers.ts';

for (const { binary, version } of serversUnderTest()) {
  for (const batchMaxWaitMs of [0, 5_000]) {
    test(`nats-server ${version} falls silent right behind an invocation, and the next one waits up to ${batchMaxWaitMs} ms`, async () => {
      await using broker = await startBroker({ binary });
      const memphis = await connect({ servers: [broker.url] });
      await memphis.createStation('orders', { storageType: 'memory' });
      await memphis.produce('orders', '1');
      const options = { servers: [broker.url], station: 'orders', group: 'g', batchMaxWaitMs };
      const handler = withMemphis(async () => {}, options);
      await handler({}, makeContext({ timeoutMs: 5_000 }));
      broker.freeze(); // less than a second after it was heard, so it is not asked whether it lives
      const startedAt = performance.now();
      await assert.rejects(handler({}, makeContext({ timeoutMs: 1_500 })));
      const tookMs = performance.now() - startedAt;
      broker.thaw();
      await memphis.close();
      // half of its time is for work; what waited for its own limits took two seconds
      assert.ok(tookMs < 1_900, `${Math.round(tookMs)} ms`);
    });
  }
}
