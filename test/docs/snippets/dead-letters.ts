import { connect } from 'memphis-serverless';

const memphis = await connect();
const station = memphis.station('orders');

const { messages, groups, deadLetters } = await station.describe();
console.log(messages, groups.map(({ name, pending }) => `${name} ${pending}`).join(', '), deadLetters);

const letters = station.deadLetters();
for (const letter of await letters.list({ group: 'billing', limit: 10 })) {
  console.log(letter.id, letter.messageId, letter.reason, letter.json());
}
await letters.drop([1]);
for (const { id, outcome } of await letters.redriveAll({ group: 'billing' })) console.log(id, outcome);
await memphis.close();
