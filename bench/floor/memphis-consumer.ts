/** The floor as a consumer function on a Memphis broker. */

import { settings } from '../functions/settings.ts';
import { dialMemphis } from './memphis.ts';
import type { Floor } from './session.ts';

const { batchSize, stream, durable } = settings();
let floor: Floor | undefined;

export const handler = async (): Promise<number> => {
  floor ??= dialMemphis('consumer');
  const messages = await floor.pull(stream, durable, batchSize);
  globalThis.benchFirst?.();
  floor.ack(messages);
  await floor.flush();
  return messages.length;
};
