/** Options of the poller. */

import { DAY_MS, must, on, text } from '../option-spec.ts';

/** One mapping of the poller: a station and a group on one side, a function on the other. Words of AWS where AWS has one. */
export const mappingOptions = {
  /** Shown in reports; lower case, no two alike. */
  name: text,
  station: text,
  /** A stream that exists already, in place of a station. */
  stream: text,
  filterSubject: text,
  group: text,
  /** Name, `name:alias` or ARN. */
  functionName: text,
  /** Messages of one invocation, at most. */
  batchSize: { min: 1, max: 5_000, fallback: 10 },
  /** How long to go on gathering after a first message. */
  batchWindowMs: { min: 0, max: 300_000, fallback: 0 },
  /** Invocations at the same time, per poller. */
  maximumConcurrency: { min: 1, max: 1_000, fallback: 5 },
  /** Whether the function's answer is read; else all that did not fail as a whole is done. */
  reportBatchItemFailures: on,
  /** Deliveries after the first one, before a message goes to the dead letters. */
  maximumRetryAttempts: { min: 0, max: 10_000, fallback: 9 },
  /** Time to settle a message before the broker delivers it again; extended while the function runs. */
  maxAckTimeMs: { min: 100, max: DAY_MS, fallback: 30_000 },
  /** Delay of the first retry; doubles from there. */
  backoffBaseMs: { min: 0, max: DAY_MS, fallback: 1_000 },
  backoffMaxMs: { min: 0, max: DAY_MS, fallback: 300_000 },
  /** A mapping that is off is left out of the run. */
  enabled: on,
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
  stopTimeoutMs: { min: 0, max: 900_000, fallback: 30_000 },
  /** End the run when all stations were empty and nothing was under way for so long; left out: never. */
  idleExitMs: { min: 0, max: DAY_MS },
  /** Time kept back to settle; left out: a tenth of what remains, at least a second. For `pollerHandler`. */
  deadlineReserveMs: { min: 0, max: 900_000 },
} as const;
