import { connect } from 'memphis-serverless';

const memphis = await connect();
const producer = await memphis.createProducer('orders', {
  name: 'shop',
  genUniqueSuffix: true,
  onError: (error, { message }) => console.error(`not stored: ${error.code}`, message),
});

await producer.produce({ id: 'a-1' }, { async: true }); // resolves when it is written
await producer.flush(); // when all that was written is stored, or onError has it

const orders = Array.from({ length: 10_000 }, (_, n) => ({ id: `b-${n}`, customer: `c-${n % 7}` }));
const results = await producer.produceBatch(orders, {
  optionsFor: (order) => ({ msgId: order.id, partitionKey: order.customer }),
});
console.log(results.filter((result) => result.ok).length, 'stored');

const both = await memphis.createProducer(['orders', 'audit']);
for (const { station, sequence } of await both.produce({ id: 'c-1' }, { msgId: 'c-1' })) {
  console.log(station, sequence > 0);
}
await memphis.close(); // waits for what is under way
