/** The ideal producing function after a freeze. */

import { produceAll, type Work } from '../functions/produce-all.ts';
import { settings } from '../functions/settings.ts';
import { flush, openSession } from './hedged.ts';
import { Floor } from './session.ts';

const { host, port, subject } = settings();
const dial = (): Floor => new Floor({ host, port });
let isFirst = true;

export const handler = async (work: Work): Promise<void> => {
  const session = await openSession(dial);
  await produceAll(work, (data, id) => session.publish(subject, data, id));
  if (isFirst) await flush(session); // to know how long a round trip is
  isFirst = false;
};
