/** The ideal consumer after a freeze. */

import { settings } from '../functions/settings.ts';
import { flush, openSession } from './hedged.ts';
import { Floor } from './session.ts';

const { host, port, batchSize, stream, durable } = settings();
const dial = (): Floor => new Floor({ host, port });

export const handler = async (): Promise<number> => {
  const session = await openSession(dial);
  const messages = await session.pull(stream, durable, batchSize);
  session.ack(messages);
  await flush(session);
  return messages.length;
};
