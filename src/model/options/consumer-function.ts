/** Options of functions that consume. */

import { DAY_MS, type GivenOver, off, on, text } from '../option-spec.ts';
import { readerOptions } from './read.ts';

/** `withMemphis`: these beside those of `connectOptions`. */
export const consumerFunctionOptions = {
  /** The station to pull from. A function that is only pushed to needs none. */
  station: text,
  ...readerOptions,
  /** Milliseconds that a pull waits for its first message; 0 takes what is there. @default 0 */
  batchMaxWaitMs: { min: 0, max: 900_000, fallback: 0 },
  /** Go on until the station is empty, `maxBatches`, or the time to settle begins. @default false */
  drain: off,
  /** Batches of one invocation with `drain`; left out: no limit. */
  maxBatches: { min: 1, max: 1_000_000 },
  /**
   * Milliseconds kept back to settle before the function's deadline. Left out: a tenth of what remains, at least 1 s,
   * at most half.
   */
  deadlineReserveMs: { min: 0, max: 900_000 },
  /** Fail the invocation when every message that it pulled failed, so that alarms fire. @default true */
  failWhenAllFail: on,
  /** Start to dial while the module loads. @default false */
  prefetch: off,
  /** Milliseconds before the first retry after an ordinary error; doubles with each delivery. @default 1000 */
  backoffBaseMs: { min: 0, max: DAY_MS, fallback: 1_000 },
  /** The longest delay of a retry, in milliseconds. @default 300000 */
  backoffMaxMs: { min: 0, max: DAY_MS, fallback: 300_000 },
} as const;

/** What callers give of them. */
export type GivenForConsuming = GivenOver<typeof consumerFunctionOptions, typeof readerOptions, 'batchMaxWaitMs'>;
