/** Options of the Middy middlewares. */

import { flag, integer, must, text } from '../option-spec.ts';

function isExpiry(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= -1;
}

/** `memphisConsumer` and `memphisProducer`: the words of Middy's `rds` middleware, beside ours. */
export const middyOptions = {
  /** Do not dial while the module loads. */
  disablePrefetch: flag(true),
  /** A name on the context for what the middleware gives. */
  contextKey: text<undefined>(undefined),
  /** Where another middleware has put the password or the token: a name in `request.internal`, steps behind dots. */
  internalKey: text<undefined>(undefined),
  /** Tells connections of one configuration apart. */
  cacheKey: text<undefined>(undefined),
  /** -1: kept; 0: closed when the invocation ends; up to a day: closed at that age; above: at that Unix time in ms. */
  cacheExpiry: integer(-1, Number.MAX_SAFE_INTEGER, -1),
  /** `cacheExpiry` by `cacheKey`. */
  cacheKeyExpiry: {
    read: (value: unknown) =>
      typeof value === 'object' && value !== null && Object.values(value).every((item) => isExpiry(item))
        ? (value as Readonly<Record<string, number>>)
        : must('an object of whole numbers from -1 up'),
    fallback: undefined as Readonly<Record<string, number>> | undefined,
  },
} as const;
