/** The second snippet of README.md, "Testing your code". */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connect } from 'memphis-serverless';
import { ensureNatsServer, startBroker, startFunction } from 'memphis-serverless/testing';

test('bills what is there at each invocation, and is frozen in between', async () => {
  await using broker = await startBroker({ binary: await ensureNatsServer() });
  const memphis = await connect({ servers: [broker.url] });
  await memphis.createStation('orders', { storageType: 'memory' });
  await using billing = await startFunction({
    handler: 'handlers/consumer.handler',
    env: { MEMPHIS_SERVERS: broker.url },
  });

  for (const id of ['a-1', 'a-2']) {
    await memphis.produce('orders', { id, card: 'tok_visa' });
    const { payload, error } = await billing.invoke({});
    assert.equal(error, undefined);
    assert.partialDeepStrictEqual(payload, { received: 1, acked: 1 });
  }
  await memphis.close();
});
