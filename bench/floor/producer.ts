/** The floor as a producing function: what `bench/functions/producer.ts` does, on a bare socket. */

import { produceAll, type Work } from '../functions/produce-all.ts';
import { settings } from '../functions/settings.ts';
import { Floor } from './session.ts';

const { host, port, subject } = settings();
let floor: Floor | undefined;

export const handler = async (work: Work): Promise<void> => {
  floor ??= new Floor({ host, port, waitsForInfo: process.env.BENCH_WAITS_FOR_INFO === '1' });
  const session = floor;
  await produceAll(work, (data, id) => session.publish(subject, data, id));
};
