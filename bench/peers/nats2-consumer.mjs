/** The consumer function over the official client, version 2. */

import { connect } from 'nats';
import { connectOptions, settings } from './options.mjs';

const { batchSize, stream, durable } = settings();
let opened;

async function open() {
  const connection = await connect(connectOptions());
  return { connection, consumer: await connection.jetstream().consumers.get(stream, durable) };
}

export const handler = async () => {
  opened ??= await open();
  const messages = [];
  for await (const message of await opened.consumer.fetch({ max_messages: batchSize, expires: 5_000 })) {
    messages.push(message);
  }
  globalThis.benchFirst?.();
  for (const message of messages) message.ack();
  await opened.connection.flush();
  return messages.length;
};
