/** Options of `each`. */

import { must } from '../option-spec.ts';

/** `each`. */
export const eachOptions = {
  /** Calls at the same time. */
  concurrency: { min: 1, max: 10_000, fallback: 10 },
  /** Whose order is kept while others run in parallel: a partition's, a key's, or what a function makes of a message. */
  orderedBy: {
    read: (value: unknown) =>
      value === 'partition' || value === 'partitionKey' || typeof value === 'function'
        ? (value as 'partition' | 'partitionKey' | ((message: never) => string | number | undefined))
        : must("'partition', 'partitionKey' or a function"),
    fallback: undefined as 'partition' | 'partitionKey' | ((message: never) => string | number | undefined) | undefined,
  },
} as const;
