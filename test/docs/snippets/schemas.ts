import { connect, isMemphisError } from 'memphis-serverless';
import 'memphis-serverless/schemas/json';

const memphis = await connect();
await memphis.createSchema('order', 'json', {
  type: 'object',
  properties: { id: { type: 'string' }, total: { type: 'integer' } },
  required: ['id'],
});
await memphis.createStation('orders', { schemaName: 'order' });
await memphis.produce('orders', { id: 'a-1', total: 5 });
try {
  await memphis.produce('orders', { id: 'a-2', total: 'much' });
} catch (error) {
  if (!isMemphisError(error, 'SCHEMA_VIOLATION')) throw error;
  console.log(error.issues); // [ { path: [ 'total' ], message: 'must be integer' } ]
}
await memphis.close();
