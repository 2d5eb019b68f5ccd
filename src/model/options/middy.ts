/** Options of the Middy middlewares. */

import { must, on, text } from '../option-spec.ts';

function isExpiry(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= -1;
}

/** `memphisConsumer` and `memphisProducer`: the words of Middy's `rds` middleware, beside ours. */
export const middyOptions = {
  /** `false` starts to dial while the module loads. @default true */
  disablePrefetch: on,
  /**
   * A name on the context: the producer puts `produce` and `memphis` under it, the consumer `{ signal }`, which
   * aborts when the time to settle begins.
   */
  contextKey: text,
  /**
   * Where in `request.internal` another middleware has put the token, or with `username` the password;
   * `'secret.password'` looks into an object.
   */
  internalKey: text,
  /** Connections are shared by configuration and by this key. */
  cacheKey: text,
  /**
   * -1: connections are kept; 0: closed when the invocation ends; up to a day (86400000): closed at that age in ms;
   * above: closed from that Unix time in ms on.
   *
   * @default -1
   */
  cacheExpiry: { min: -1, max: Number.MAX_SAFE_INTEGER, fallback: -1 },
  /** `{ [cacheKey]: cacheExpiry }`; goes before `cacheExpiry`. */
  cacheKeyExpiry: {
    read: (value: unknown) =>
      typeof value === 'object' && value !== null && Object.values(value).every((item) => isExpiry(item))
        ? (value as Readonly<Record<string, number>>)
        : must('an object of whole numbers from -1 up'),
    fallback: undefined as Readonly<Record<string, number>> | undefined,
  },
} as const;
