/** The ideal consumer after a freeze, on a Memphis broker. */

import { settings } from '../functions/settings.ts';
import { flush, openSession } from './hedged.ts';
import { dialMemphis } from './memphis.ts';

const { batchSize, stream, durable } = settings();

export const handler = async (): Promise<number> => {
  const session = await openSession(() => dialMemphis('consumer'));
  const messages = await session.pull(stream, durable, batchSize);
  session.ack(messages);
  await flush(session);
  return messages.length;
};
