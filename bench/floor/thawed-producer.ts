/** The ideal producing function after a freeze. */

import { produceAll, type Work } from '../functions/produce-all.ts';
import { settings } from '../functions/settings.ts';
import { flush, openSession } from './hedged.ts';

const { subject } = settings();
let isFirst = true;

export const handler = async (work: Work): Promise<void> => {
  const session = await openSession();
  await produceAll(work, (data, id) => session.publish(subject, data, id));
  if (isFirst) await flush(session); // to know how long a round trip is
  isFirst = false;
};
