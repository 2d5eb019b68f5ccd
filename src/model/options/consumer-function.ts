/** Options of functions that consume. */

import { DAY_MS, flag, integer, optionalInteger, text } from '../option-spec.ts';
import { readerOptions } from './read.ts';

/** `withMemphis`: these beside those of `connectOptions`. */
export const consumerFunctionOptions = {
  station: text<undefined>(undefined),
  ...readerOptions,
  /** A pull takes what is there; on an empty station it waits this long. */
  batchMaxWaitMs: integer(0, 900_000, 0),
  /** Go on until the station is empty, `maxBatches`, or the deadline reserve. */
  drain: flag(false),
  /** Batches of one invocation when draining; left out: no limit. */
  maxBatches: optionalInteger(1, 1_000_000),
  /** Time kept back to settle; left out: a tenth of what remains, at least a second. */
  deadlineReserveMs: optionalInteger(0, 900_000),
  /** When all messages of a pulled batch failed, the invocation fails too, so that alarms fire. */
  failWhenAllFail: flag(true),
  /** Start to dial while the module loads. */
  prefetch: flag(false),
  /** Delay of the first retry after an ordinary error; doubles from there. */
  backoffBaseMs: integer(0, DAY_MS, 1_000),
  backoffMaxMs: integer(0, DAY_MS, 300_000),
} as const;
