import { connect } from 'memphis-serverless';

interface Order {
  readonly id: string;
}

const memphis = await connect();
const consumer = await memphis.createConsumer<Order>('orders', { group: 'billing', onError: console.error });

consumer.consume(async (messages) => {
  for (const message of messages) {
    console.log(`billing ${message.value().id}`);
    await message.ack();
  }
});
await new Promise((resolve) => process.once('SIGINT', resolve));
await consumer.stop(); // waits for the handler at work

for await (const message of consumer) {
  console.log(`again in an hour: ${message.value().id}`);
  await message.delay(3_600_000);
  break; // what was fetched and not handed out is given back
}
await memphis.close(); // stops all consumers
