/** The floor as a consumer function: what `bench/functions/consumer.ts` does, on a bare socket. */

import { settings } from '../functions/settings.ts';
import { Floor } from './session.ts';

const { host, port, batchSize, stream, durable } = settings();
let floor: Floor | undefined;

export const handler = async (): Promise<number> => {
  floor ??= new Floor({ host, port, waitsForInfo: process.env.BENCH_WAITS_FOR_INFO === '1' });
  const messages = await floor.pull(stream, durable, batchSize);
  globalThis.benchFirst?.();
  floor.ack(messages);
  await floor.flush();
  return messages.length;
};
