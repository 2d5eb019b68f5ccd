/** The producing function that is measured. */

import { withProducer } from 'memphis-serverless/lambda';
import { produceAll, type Work } from './produce-all.ts';

export const handler = withProducer(
  (work: Work, { produce }) => produceAll(work, (data, msgId) => produce(data, msgId === undefined ? {} : { msgId })),
  { station: 's' },
);
