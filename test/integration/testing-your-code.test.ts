/** The snippet of README.md, "Testing your code". */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connect } from 'memphis-serverless';
import { DeadLetter, each, withMemphis } from 'memphis-serverless/lambda';
import { ensureNatsServer, makeContext, makeEvent, startBroker } from 'memphis-serverless/testing';

const bill = each<{ id: string }>((order) => {
  if (order.id === 'bad') throw new DeadLetter({ reason: 'unknown customer' });
});

test('pushed: answers which orders it refuses', async () => {
  const handler = withMemphis(bill);
  const answer = await handler(makeEvent({ messages: [{ id: 'a-1' }, { id: 'bad' }] }), makeContext());

  const refused = { itemIdentifier: 'orders$1:2', action: 'deadLetter', reason: 'unknown customer' };
  assert.deepEqual(answer, { batchItemFailures: [refused] });
});

test('pulled: acks what it has billed', async () => {
  await using broker = await startBroker({ binary: await ensureNatsServer() });
  const memphis = await connect({ servers: [broker.url] });
  await memphis.createStation('orders', { storageType: 'memory' });
  await memphis.produce('orders', { id: 'a-1' });
  await memphis.produce('orders', { id: 'bad' });

  const handler = withMemphis(bill, { station: 'orders', group: 'billing', servers: [broker.url] });
  const summary = await handler({}, makeContext());

  assert.partialDeepStrictEqual(summary, { received: 2, acked: 1, deadLettered: 1 });
  await memphis.close();
});
