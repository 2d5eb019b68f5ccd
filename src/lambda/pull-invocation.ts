/** One pulling invocation: batches from a session's broker through the handler, within the time there is. */

import { type BatchHandler, type BatchResult, runBatch } from '../batch/run-batch.ts';
import { readersOf } from '../brokers/readers.ts';
import type { Session } from '../client/session.ts';
import type { Batch } from '../model/batch.ts';
import type { Broker, Reader, ReaderOptions } from '../model/broker.ts';
import { defaultReserveMs, NO_LIMIT, remainingTimeMs, settleLimit } from '../model/deadline.ts';
import { MemphisError } from '../model/errors.ts';
import type { Resolved } from '../model/option-spec.ts';
import type { consumerFunctionOptions } from '../model/options/consumer-function.ts';
import { toEnvName } from '../model/resolve-options.ts';
import type { Sifted } from '../model/schema-reader.ts';
import { resolveSource, toStart } from '../model/source.ts';
import { logFailures } from './log-failures.ts';
import { neverEnds, siftInTime } from './sift-in-time.ts';

/** What a pulling invocation did; the counts are those the broker confirmed and add up to `received`. */
export interface PullSummary {
  readonly station: string;
  readonly group: string;
  /** Batches that held messages. */
  readonly batches: number;
  readonly received: number;
  readonly acked: number;
  readonly retried: number;
  readonly deadLettered: number;
  /** Messages that no user code has seen. */
  readonly givenBack: number;
}

export interface PullInvocation<T, C> {
  /** What was called, for error texts. */
  readonly where: string;
  readonly session: Pick<Session, 'broker'> & Partial<Pick<Session, 'current'>>;
  readonly handler: BatchHandler<T, C>;
  readonly context: C;
  readonly options: Resolved<typeof consumerFunctionOptions>;
}

/** What is added up over the batches of an invocation: the summary, and what makes it fail. */
type Tally = { -readonly [Key in keyof PullSummary]: PullSummary[Key] };

interface Failures {
  count: number;
  first?: unknown;
}

/**
 * Pulls one batch, or with `drain` batch after batch until the station is empty, `maxBatches`, or too little time
 * is left for another one as long as the longest so far. Without time to work nothing is pulled.
 *
 * @throws MemphisError `INVALID_OPTION` without station or group, `ALL_MESSAGES_FAILED` (unless `failWhenAllFail`
 *   is off) after all was settled, `SETTLE_UNCONFIRMED`, and what connecting and pulling throw
 */
export async function pullInvocation<T, C>({
  where,
  session,
  handler,
  context,
  options,
}: PullInvocation<T, C>): Promise<PullSummary> {
  const plan = planOf(where, options);
  const { station, group } = plan.reading;
  const tally = { station, group, batches: 0, received: 0, acked: 0, retried: 0, deadLettered: 0, givenBack: 0 };
  const failures: Failures = { count: 0 };
  let remainingMs = remainingTimeMs(context);
  // fixed at the start, while the time is asked for again and again
  const reserveMs = remainingMs === NO_LIMIT ? 0 : (options.deadlineReserveMs ?? defaultReserveMs(remainingMs));
  let broker = session.current;
  if (broker === undefined && remainingMs > reserveMs) {
    broker = await session.broker(dialLimit(remainingMs - reserveMs));
    remainingMs = remainingTimeMs(context);
  }
  const limit = options.drain ? (options.maxBatches ?? NO_LIMIT) : 1;
  let longestMs = 0;
  while (broker !== undefined && tally.batches < limit) {
    const before = remainingMs - reserveMs;
    if (before <= 0 || before < longestMs) break;
    const batch = await pullBatch(readerOf(plan, broker), options, before, remainingMs);
    if (batch.messages.length === 0) break;
    const run = (sound: Batch, by = handler, workMs = remainingTimeMs(context) - reserveMs): Promise<BatchResult> =>
      runBatch(sound, by, context, {
        backoff: { baseMs: options.backoffBaseMs, maxMs: options.backoffMaxMs },
        workMs,
      });
    const isPlain = batch.schema === undefined && options.schema === undefined;
    const note = (result: Omit<BatchResult, 'failedAsWhole'>): void => add(tally, failures, batch, result);
    if (isPlain) note(await run(batch));
    else await runSifted(batch, await siftInTime(batch, options, before), run, note);
    tally.batches += 1;
    if (limit > 1) remainingMs = remainingTimeMs(context);
    if (before !== NO_LIMIT) longestMs = Math.max(longestMs, before + reserveMs - remainingMs);
  }
  const { count, first } = failures;
  if (options.failWhenAllFail && count > 0 && count === tally.received) throw allFailed(tally, first);
  return tally;
}

function allFailed({ station, group, received, retried, deadLettered }: PullSummary, cause: unknown): MemphisError {
  return new MemphisError(
    'ALL_MESSAGES_FAILED',
    `All messages pulled from station ${station}, group ${group}, failed: of ${received}, ${retried} will be delivered ` +
      `again, ${deadLettered} went to the dead letters. failWhenAllFail: false lets it succeed.`,
    { station, group, cause },
  );
}

/** What the settings of a function come to: the same at each invocation, like the settings. */
interface Plan {
  readonly reading: ReaderOptions;
  /** Where it is read, and by whom. */
  at: { readonly broker: Broker; readonly reader: Reader } | undefined;
}

const plans = new WeakMap<object, Plan>();

function planOf(where: string, options: Resolved<typeof consumerFunctionOptions>): Plan {
  const known = plans.get(options);
  if (known !== undefined) return known;
  const start = toStart(where, options.startConsumeFromSequence, options.lastMessages);
  const reading = {
    ...resolveSource(`${where}: the event is no pushed batch, so it is to pull`, options, hintOf),
    ackWaitMs: options.maxAckTimeMs,
    maxDeliveries: options.maxMsgDeliveries,
    ordered: options.ordered,
    ...(start === undefined ? {} : { start }),
  };
  const plan = { reading, at: undefined };
  plans.set(options, plan);
  return plan;
}

function readerOf(plan: Plan, broker: Broker): Reader {
  if (plan.at?.broker !== broker) plan.at = { broker, reader: readersOf(broker).reader(plan.reading) };
  return plan.at.reader;
}

/** Of a station with a schema: without the messages that do not fit, which are settled beside the others. */
async function runSifted<T, C>(
  batch: Batch,
  sifted: Sifted | undefined,
  run: (sound: Batch, by?: BatchHandler<T, C>, workMs?: number) => Promise<BatchResult>,
  note: (result: Omit<BatchResult, 'failedAsWhole'>) => void,
): Promise<void> {
  if (sifted === undefined) return note(await run(batch, neverEnds, 1));
  const { batch: sound, unfit } = sifted;
  const running = run(sound);
  // also where one of them fails, nothing is under way when the invocation ends
  if (unfit !== undefined) await Promise.allSettled([running, unfit]);
  note(await running);
  if (unfit !== undefined) note(await unfit);
}

/** The wait ends with the time for work; a pull that ends late would be given back anyway. */
function pullBatch(
  reader: Reader,
  { batchSize, batchMaxWaitMs }: { readonly batchSize: number; readonly batchMaxWaitMs: number },
  workMs: number,
  remainingMs: number,
): ReturnType<Reader['pull']> {
  const waitMs = Math.floor(Math.min(batchMaxWaitMs, workMs));
  return reader.pull({
    batchSize,
    waitMs,
    ...(workMs === NO_LIMIT ? {} : { patienceMs: Math.max(0, workMs - waitMs) }),
    ...settleLimit(remainingMs),
  });
}

/** Dialling may take a third of the time there is, four seconds at most: then the invocation fails and says why. */
function dialLimit(workMs: number): { deadlineMs?: number } {
  return workMs === NO_LIMIT ? {} : { deadlineMs: Date.now() + Math.min(4000, workMs / 3) };
}

function hintOf(option: string): string {
  return `: give the option, or set ${toEnvName(option)}`;
}

function add(tally: Tally, failures: Failures, batch: Batch, result: Omit<BatchResult, 'failedAsWhole'>): void {
  tally.received += result.received;
  tally.acked += result.acked;
  tally.retried += result.retried;
  tally.deadLettered += result.deadLettered;
  tally.givenBack += result.givenBack;
  failures.count += result.failures.length;
  failures.first ??= result.error;
  logFailures(batch, result);
}
