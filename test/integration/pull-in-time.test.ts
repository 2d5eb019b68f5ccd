/** A function whose broker falls silent between two invocations fails within its time, instead of being cut off by its timeout. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connect } from '../../src/index.ts';
import { withMemphis } from '../../src/lambda/index.ts';
import { makeContext } from '../../src/testing/make-context.ts';
import { startBroker } from '../../src/testing/start-broker.ts';
import { endsWithin } from '../support/ends-within.ts';
import { serversUnderTest } from '../support/servers.ts';

for (const { binary, version } of serversUnderTest()) {
  for (const [batchMaxWaitMs, deadlineReserveMs] of [
    [0, undefined],
    [5_000, undefined],
    [500, 300],
  ] as const) {
    const kept = deadlineReserveMs === undefined ? '' : `, with ${deadlineReserveMs} ms kept back`;
    test(`nats-server ${version} falls silent right behind an invocation, and the next one waits up to ${batchMaxWaitMs} ms${kept}`, async () => {
      await using broker = await startBroker({ binary });
      const memphis = await connect({ servers: [broker.url] });
      await memphis.createStation('orders', { storageType: 'memory' });
      await memphis.produce('orders', '1');
      const options = { servers: [broker.url], station: 'orders', group: 'g', batchMaxWaitMs, deadlineReserveMs };
      const handler = withMemphis(async () => {}, options);
      await handler({}, makeContext({ timeoutMs: 5_000 }));
      broker.freeze(); // less than a second after it was heard, so it is not asked whether it lives
      const invoked = handler({}, makeContext({ timeoutMs: 1_500 }));
      assert.ok(await endsWithin(invoked, 1_500), 'what waited for its own limits took two seconds');
      await assert.rejects(invoked);
      broker.thaw();
      await memphis.close();
    });
  }
}
