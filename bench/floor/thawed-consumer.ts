/** The ideal consumer after a freeze. */

import { settings } from '../functions/settings.ts';
import { flush, openSession } from './hedged.ts';

const { batchSize, stream, durable } = settings();

export const handler = async (): Promise<number> => {
  const session = await openSession();
  const messages = await session.pull(stream, durable, batchSize);
  session.ack(messages);
  await flush(session);
  return messages.length;
};
