/** The producing function over memphis-dev, as its documentation does it. */

import { produceAll } from '../functions/produce-all.ts';
import { connectMemphis } from './memphis-connect.mjs';

let opened;

async function open() {
  const memphis = await connectMemphis();
  return memphis.producer({ stationName: 's', producerName: 'dev' });
}

export const handler = async (work) => {
  opened ??= open();
  opened.catch(() => {
    opened = undefined;
  });
  const producer = await opened;
  await produceAll(work, (message, msgId) =>
    producer.produce({ message, asyncProduce: false, ...(msgId === undefined ? {} : { msgId }) }),
  );
};
