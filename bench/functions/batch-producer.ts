/** The producing function for many messages at once. */

import { withProducer } from 'memphis-serverless/lambda';
import type { Work } from './produce-all.ts';

export const handler = withProducer(
  async ({ count = 1, bytes = 100 }: Work, { memphis }) => {
    const data = Buffer.alloc(bytes, 'x');
    for (const result of await memphis.produceBatch('s', Array<Buffer>(count).fill(data))) {
      if (!result.ok) throw result.error;
    }
  },
  { station: 's' },
);
