/** Schemas on the broker in memory, as clients and functions see them. */

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { connect } from '../../src/index.ts';
import { each, produceHandler, withMemphis } from '../../src/lambda/index.ts';
import '../../src/schemas/json.ts';
import { makeContext, makeMemoryBroker, useBroker } from '../../src/testing/index.ts';
import { makeRestEvent } from '../support/api-events.ts';

test('what breaks the schema is refused and set aside; a function gets what fits', async () => {
  const broker = makeMemoryBroker();
  after(useBroker(broker));
  const servers = ['nats://in-memory:4222'];
  const memphis = await connect({ servers });
  await memphis.createSchema('order', 'json', { type: 'object', required: ['id'] });
  await memphis.createStation('orders', { schemaName: 'order' });
  await assert.rejects(memphis.createStation('others', { schemaName: 'none' }), { code: 'SCHEMA_NOT_FOUND' });
  assert.equal((await memphis.describeStation('orders')).settings.schemaName, 'order');

  const api = produceHandler({ servers, station: 'orders' });
  assert.equal((await api(makeRestEvent({ body: '{"id":1}' }), makeContext())).statusCode, 202);
  assert.equal((await api(makeRestEvent({ body: '{"no":1}' }), makeContext())).statusCode, 422);
  const [letter] = await memphis.deadLetters('orders').list();
  assert.deepEqual([letter?.group, letter?.json()], ['$refused', { no: 1 }]);

  const seen: unknown[] = [];
  const handler = withMemphis(
    each((value) => void seen.push(value)),
    { servers, station: 'orders', group: 'g' },
  );
  await handler({}, makeContext());
  assert.deepEqual(seen, [{ id: 1 }]);
  await memphis.detachSchema('orders');
  await memphis.produce('orders', { no: 1 });
  await memphis.close();
});
