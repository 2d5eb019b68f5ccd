/** Options of the poller. */

import { DAY_MS, flag, integer, must, optionalInteger, text } from '../option-spec.ts';

/** One mapping of the poller: a station and a group on one side, a function on the other. Words of AWS where AWS has one. */
export const mappingOptions = {
  /** Shown in reports; lower case, no two alike. */
  name: text<undefined>(undefined),
  station: text<undefined>(undefined),
  /** A stream that exists already, in place of a station. */
  stream: text<undefined>(undefined),
  filterSubject: text<undefined>(undefined),
  group: text<undefined>(undefined),
  /** Name, `name:alias` or ARN. */
  functionName: text<undefined>(undefined),
  /** Messages of one invocation, at most. */
  batchSize: integer(1, 5_000, 10),
  /** How long to go on gathering after a first message. */
  batchWindowMs: integer(0, 300_000, 0),
  /** Invocations at the same time, per poller. */
  maximumConcurrency: integer(1, 1_000, 5),
  /** Whether the function's answer is read; else all that did not fail as a whole is done. */
  reportBatchItemFailures: flag(true),
  /** Deliveries after the first one, before a message goes to the dead letters. */
  maximumRetryAttempts: integer(0, 10_000, 9),
  /** Time to settle a message before the broker delivers it again; extended while the function runs. */
  maxAckTimeMs: integer(100, DAY_MS, 30_000),
  /** Delay of the first retry; doubles from there. */
  backoffBaseMs: integer(0, DAY_MS, 1_000),
  backoffMaxMs: integer(0, DAY_MS, 300_000),
  /** A mapping that is off is left out of the run. */
  enabled: flag(true),
} as const;

/** `run` of a poller. */
export const pollerRunOptions = {
  /** Ends the run when it aborts. Left out: it goes on. */
  signal: {
    read: (value: unknown) => (value instanceof AbortSignal ? value : must('an AbortSignal')),
    fallback: undefined as AbortSignal | undefined,
  },
} as const;

/** `createPoller` and `pollerHandler`, beside mappings, connection and Lambda client. */
export const pollerOptions = {
  /** How long invocations under way may go on once the run is told to stop; then their messages go back. */
  stopTimeoutMs: integer(0, 900_000, 30_000),
  /** End the run when all stations were empty and nothing was under way for so long; left out: never. */
  idleExitMs: optionalInteger(0, DAY_MS),
  /** Time kept back to settle; left out: a tenth of what remains, at least a second. For `pollerHandler`. */
  deadlineReserveMs: optionalInteger(0, 900_000),
} as const;
