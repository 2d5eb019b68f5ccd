/** Options of the Middy middlewares. */

import { must, on, text } from '../option-spec.ts';

function isExpiry(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= -1;
}

/** `memphisConsumer` and `memphisProducer`: the words of Middy's `rds` middleware, beside ours. */
export const middyOptions = {
  /** Do not dial while the module loads. */
  disablePrefetch: on,
  /** A name on the context for what the middleware gives. */
  contextKey: text,
  /** Where another middleware has put the password or the token: a name in `request.internal`, steps behind dots. */
  internalKey: text,
  /** Tells connections of one configuration apart. */
  cacheKey: text,
  /** -1: kept; 0: closed when the invocation ends; up to a day: closed at that age; above: at that Unix time in ms. */
  cacheExpiry: { min: -1, max: Number.MAX_SAFE_INTEGER, fallback: -1 },
  /** `cacheExpiry` by `cacheKey`. */
  cacheKeyExpiry: {
    read: (value: unknown) =>
      typeof value === 'object' && value !== null && Object.values(value).every((item) => isExpiry(item))
        ? (value as Readonly<Record<string, number>>)
        : must('an object of whole numbers from -1 up'),
    fallback: undefined as Readonly<Record<string, number>> | undefined,
  },
} as const;
