/** Options of `each`. */

import { must } from '../option-spec.ts';

/** `each`. */
export const eachOptions = {
  /** Calls at the same time. @default 10 */
  concurrency: { min: 1, max: 10_000, fallback: 10 },
  /**
   * Keeps the order of a key while keys run in parallel: the partition, the producer's key, or what a function
   * returns.
   */
  orderedBy: {
    read: (value: unknown) =>
      value === 'partition' || value === 'partitionKey' || typeof value === 'function'
        ? (value as 'partition' | 'partitionKey' | ((message: never) => string | number | undefined))
        : must("'partition', 'partitionKey' or a function"),
    fallback: undefined as 'partition' | 'partitionKey' | ((message: never) => string | number | undefined) | undefined,
  },
} as const;
