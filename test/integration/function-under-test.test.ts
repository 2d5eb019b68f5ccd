/** The second snippet of README.md, "Testing your code". */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connect } from 'memphis-serverless';
import { ensureNatsServer, startBroker, startFunction } from 'memphis-serverless/testing';

test('bills what is there, also after a freeze', async () => {
  await using broker = await startBroker({ binary: await ensureNatsServer() });
  const env = { MEMPHIS_SERVERS: broker.url };
  await using billing = await startFunction({ handler: 'handlers/consumer.handler', env });
  const memphis = await connect({ servers: [broker.url] });
  await memphis.createStation('orders');
  for (const id of ['a-1', 'a-2']) {
    await memphis.produce('orders', { id, card: 'tok_visa' });
    assert.partialDeepStrictEqual((await billing.invoke()).payload, { received: 1, acked: 1 });
  }
  await memphis.close();
});
