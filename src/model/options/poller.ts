/** Options of the poller. */

import { DAY_MS, must, on, text } from '../option-spec.ts';

/** One mapping of the poller: a station and a group on one side, a function on the other. Words of AWS where AWS has one. */
export const mappingOptions = {
  /** Shown in reports; no two alike. Left out: `<station>-to-<group>`. */
  name: text,
  /** The station whose messages are pushed. */
  station: text,
  /** A stream that exists already, in place of a station. */
  stream: text,
  /** Which messages of that stream; left out: all, or what the group says. */
  filterSubject: text,
  /** The group that the poller reads as; pollers of one group share the work. */
  group: text,
  /** The function to invoke: name, `name:alias` or ARN. */
  functionName: text,
  /** Messages of one invocation, at most; events stay under Lambda's limit of 6 MB. @default 10 */
  batchSize: { min: 1, max: 5_000, fallback: 10 },
  /** Milliseconds to go on gathering after a first message. @default 0 */
  batchWindowMs: { min: 0, max: 300_000, fallback: 0 },
  /** Invocations at the same time, for each poller. @default 5 */
  maximumConcurrency: { min: 1, max: 1_000, fallback: 5 },
  /** Whether the function's answer is read; else everything is done that did not fail as a whole. @default true */
  reportBatchItemFailures: on,
  /** Deliveries after the first one, before a message goes to the dead letters. @default 9 */
  maximumRetryAttempts: { min: 0, max: 10_000, fallback: 9 },
  /**
   * Milliseconds to settle a message before the broker delivers it again. Extended while the function runs.
   *
   * @default 30000
   */
  maxAckTimeMs: { min: 100, max: DAY_MS, fallback: 30_000 },
  /** Milliseconds before the first retry; doubles with each delivery. @default 1000 */
  backoffBaseMs: { min: 0, max: DAY_MS, fallback: 1_000 },
  /** The longest delay of a retry, in milliseconds. @default 300000 */
  backoffMaxMs: { min: 0, max: DAY_MS, fallback: 300_000 },
  /** A mapping that is off is left out of the run. @default true */
  enabled: on,
} as const;

/** `run` of a poller. */
export const pollerRunOptions = {
  /** Ends the run when it aborts; left out: it goes on. */
  signal: {
    read: (value: unknown) => (value instanceof AbortSignal ? value : must('an AbortSignal')),
    fallback: undefined as AbortSignal | undefined,
  },
} as const;

/** `createPoller` and `pollerHandler`, beside mappings, connection and Lambda client. */
export const pollerOptions = {
  /**
   * Milliseconds that invocations may go on once `run` is told to stop; then their messages are given back. Settling may
   * take 5 s more: who ends the process from outside waits as long.
   *
   * @default 30000
   */
  stopTimeoutMs: { min: 0, max: 900_000, fallback: 30_000 },
  /** End the run when all stations were empty, and nothing was under way, for so many milliseconds. Left out: never. */
  idleExitMs: { min: 0, max: DAY_MS },
  /** For `pollerHandler`: milliseconds kept back to settle. Left out: as `withMemphis`. */
  deadlineReserveMs: { min: 0, max: 900_000 },
} as const;
