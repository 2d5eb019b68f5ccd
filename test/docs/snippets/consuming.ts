import { connect } from 'memphis-serverless';

interface Order {
  readonly id: string;
}

const memphis = await connect();
const consumer = await memphis.createConsumer('orders', { group: 'billing', onError: (error) => console.error(error) });

consumer.consume<Order>(async (messages) => {
  for (const message of messages) {
    console.log(`billing ${message.value().id}`);
    await message.ack();
  }
});
await new Promise((resolve) => process.once('SIGINT', resolve));
await consumer.stop(); // waits for the handler at work

for await (const message of consumer) {
  console.log(message.text());
  await message.delay(3_600_000); // in an hour
  break; // what was fetched and not handed out is given back
}
await memphis.close(); // stops all consumers
