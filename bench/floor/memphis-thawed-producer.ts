/** The ideal producing function after a freeze, on a Memphis broker. */

import { produceAll, type Work } from '../functions/produce-all.ts';
import { settings } from '../functions/settings.ts';
import { flush, openSession } from './hedged.ts';
import { dialMemphis } from './memphis.ts';

const { subject } = settings();
let isFirst = true;

export const handler = async (work: Work): Promise<void> => {
  const session = await openSession(() => dialMemphis('producer'));
  await produceAll(work, (data, id) => session.publish(subject, data, id));
  if (isFirst) await flush(session); // to know how long a round trip is
  isFirst = false;
};
