/** A broker that is far away: what is only slow is not taken for dead. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openPath } from '../../bench/support/path.ts';
import { connect } from '../../src/index.ts';
import { withMemphis } from '../../src/lambda/index.ts';
import { makeContext } from '../../src/testing/make-context.ts';
import { startBroker } from '../../src/testing/start-broker.ts';

test('a pull that waits for as long as its function has is empty, though the end of the wait is told a round trip later', async () => {
  await using broker = await startBroker();
  await using far = await openPath(broker.port, 175);
  const memphis = await connect({ servers: [broker.url] });
  await memphis.createStation('orders', { storageType: 'memory' });
  await memphis.close();
  const handler = withMemphis(async () => {}, {
    servers: [far.url],
    station: 'orders',
    group: 'g',
    batchMaxWaitMs: 20_000,
  });
  for (const _ of ['its connection is opened', 'it is there']) {
    const summary = await handler({}, makeContext({ timeoutMs: 4_000 }));
    assert.ok('received' in summary && summary.received === 0);
  }
});
