/** Options of functions that consume. */

import { DAY_MS, off, on, text } from '../option-spec.ts';
import { readerOptions } from './read.ts';

/** `withMemphis`: these beside those of `connectOptions`. */
export const consumerFunctionOptions = {
  station: text,
  ...readerOptions,
  /** A pull takes what is there; on an empty station it waits this long. */
  batchMaxWaitMs: { min: 0, max: 900_000, fallback: 0 },
  /** Go on until the station is empty, `maxBatches`, or the deadline reserve. */
  drain: off,
  /** Batches of one invocation when draining; left out: no limit. */
  maxBatches: { min: 1, max: 1_000_000 },
  /** Time kept back to settle; left out: a tenth of what remains, at least a second. */
  deadlineReserveMs: { min: 0, max: 900_000 },
  /** When all messages of a pulled batch failed, the invocation fails too, so that alarms fire. */
  failWhenAllFail: on,
  /** Start to dial while the module loads. */
  prefetch: off,
  /** Delay of the first retry after an ordinary error; doubles from there. */
  backoffBaseMs: { min: 0, max: DAY_MS, fallback: 1_000 },
  backoffMaxMs: { min: 0, max: DAY_MS, fallback: 300_000 },
} as const;
