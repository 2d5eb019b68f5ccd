/** The consumer function over memphis-dev, as its documentation does it. */

import { connectMemphis, settings } from './memphis-connect.mjs';

const { batchSize, durable } = settings();
let opened;

async function open() {
  const memphis = await connectMemphis();
  const consumer = await memphis.consumer({
    stationName: 's',
    consumerName: durable,
    consumerGroup: durable,
    batchSize,
  });
  return { memphis, consumer };
}

export const handler = async () => {
  opened ??= open();
  opened.catch(() => {
    opened = undefined;
  });
  const { memphis, consumer } = await opened;
  const messages = await consumer.fetch({ batchSize });
  globalThis.benchFirst?.();
  for (const message of messages) message.ack();
  await memphis.brokerManager.flush(); // of the NATS client inside: acks are not confirmed otherwise
  return messages.length;
};
