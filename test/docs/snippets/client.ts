import { connect } from 'memphis-serverless';

const memphis = await connect(); // reads MEMPHIS_SERVERS, for example nats://127.0.0.1:4222
await memphis.createStation('orders', { partitionsNumber: 2 });

const receipt = await memphis.produce('orders', { id: 'a-1' }, { msgId: 'a-1', partitionKey: 'customer-7' });
console.log(receipt.partition, receipt.sequence, receipt.duplicate);

const consumer = await memphis.createConsumer('orders', { group: 'billing', batchSize: 10 });
for (const message of await consumer.fetch<{ id: string }>()) {
  console.log(message.value().id, message.deliveryCount);
  await message.ack();
}
await memphis.close();
