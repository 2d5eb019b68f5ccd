import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connect } from 'memphis-serverless';
import { each, withMemphis } from 'memphis-serverless/lambda';
import { ensureNatsServer, startBroker } from 'memphis-serverless/testing';

test('bills an order', async () => {
  await using broker = await startBroker({ binary: await ensureNatsServer() });
  const memphis = await connect({ servers: [broker.url] });
  await memphis.createStation('orders', { storageType: 'memory' });
  await memphis.produce('orders', { id: 'a-1' });

  const billed: string[] = [];
  const bill = each<{ id: string }, object>((order) => billed.push(order.id));
  const handler = withMemphis(bill, { station: 'orders', group: 'billing', servers: [broker.url] });
  const summary = await handler({}, {});

  assert.deepEqual(billed, ['a-1']);
  assert.equal('acked' in summary && summary.acked, 1);
  await memphis.close();
});
