/** The floor as a producing function on a Memphis broker. */

import { produceAll, type Work } from '../functions/produce-all.ts';
import { settings } from '../functions/settings.ts';
import { dialMemphis } from './memphis.ts';
import type { Floor } from './session.ts';

const { subject } = settings();
let floor: Floor | undefined;

export const handler = async (work: Work): Promise<void> => {
  floor ??= dialMemphis('producer');
  const session = floor;
  await produceAll(work, (data, id) => session.publish(subject, data, id));
};
