/** The one road from a batch to its outcomes, pushed or pulled. Nothing else calls a handler. */

import { type ParsedResponse, parseResponse } from '../envelope/response.ts';
import { type Backoff, backoffMs } from '../model/backoff.ts';
import type { Batch } from '../model/batch.ts';
import { describeError, MemphisError } from '../model/errors.ts';
import type { LambdaContext } from '../model/lambda-context.ts';
import type { Message } from '../model/message.ts';
import { isExact, type Outcome, outcomeOfError } from '../model/outcome.ts';
import { Ledger, type SettledCounts } from './ledger.ts';
import { isReport, type Progress } from './report.ts';
import { Deadline, keepLease } from './run-timers.ts';

/**
 * Gets one batch. Returning means success of all messages that it did not settle itself, unless it returns a
 * partial batch response; throwing means a retry of all that is undecided.
 *
 * @param run.signal aborts when the time kept back to settle begins: what is undecided then is delivered again
 */
export type BatchHandler<T = unknown, C = LambdaContext> = (
  messages: Message<T>[],
  context: C,
  run: { readonly signal: AbortSignal },
) => unknown;

export interface RunOptions {
  /** Delay of a retry that states none. */
  readonly backoff: Backoff;
  /** Milliseconds until the time kept back to settle begins; `Infinity`: no deadline. */
  readonly workMs: number;
  /** Whether values that are no partial batch response fail the batch; for handlers that are somebody else's function. */
  readonly strict?: boolean;
}

/** A message that its handler did not finish. */
export interface Failure {
  readonly id: string;
  readonly reason: string;
}

/** What became of a batch; the counts are those the broker confirmed and add up to `received`. */
export interface BatchResult extends SettledCounts {
  readonly received: number;
  /** Messages to be retried or dead-lettered, in the order of the batch. */
  readonly failures: readonly Failure[];
  /** The first thing thrown, an answer that could not be read (`FUNCTION_FAILED`), or `DEADLINE_EXCEEDED`. */
  readonly error?: unknown;
  /** Nothing was settled on its own: all messages failed for this one ordinary `error`. */
  readonly failedAsWhole: boolean;
}

/** How a handler's run ended. */
type Ending =
  | { readonly kind: 'returned'; readonly value: unknown }
  | { readonly kind: 'threw'; readonly error: unknown }
  | { readonly kind: 'deadline' };

/** What an ending means: an outcome for each message that is undecided. */
interface Verdict {
  readonly outcomes: readonly Outcome[];
  readonly error?: unknown;
  /** The error concerns the batch rather than one message, and does not say exactly what should happen. */
  readonly isWhole?: boolean;
}

const ack: Outcome = { action: 'ack' };
const lateReason = 'the deadline of the function came before the work was done';

/**
 * Calls the handler with the messages of a batch and settles each of them, exactly once. Leaves no timer and no
 * unfinished extension behind. Without time to work (`workMs` 0 or less) the handler is not called and all
 * messages are given back.
 *
 * @throws MemphisError `SETTLE_UNCONFIRMED` when the broker did not confirm; all the other messages are settled then
 */
export async function runBatch<T, C>(
  batch: Batch,
  handler: BatchHandler<T, C>,
  context: C,
  options: RunOptions,
): Promise<BatchResult> {
  const ledger = new Ledger<T>(batch);
  const ending = await callHandler(batch, ledger, handler, context, options);
  // an extension that reached the broker after a delay would undo it
  if (ledger.isExtending) await ledger.quiet();
  const verdict = ending === undefined ? { outcomes: [] } : judge(batch, ledger, ending, options);
  const failedAsWhole = verdict.isWhole === true && ledger.undecided().length === batch.messages.length;
  ledger.decideRest(verdict.outcomes);
  const counts = await ledger.confirmed();
  const received = batch.messages.length;
  const failures = counts.acked === received ? [] : listFailures(batch, ledger);
  // not spread into a literal: V8 goes a slow way for what stands behind that
  return Object.assign(counts, { received, failures, error: verdict.error, failedAsWhole });
}

/** Runs the handler until it ends or time is up; nothing when it was not called. */
function callHandler<T, C>(
  batch: Batch,
  ledger: Ledger<T>,
  handler: BatchHandler<T, C>,
  context: C,
  { workMs }: RunOptions,
): Promise<Ending> | undefined {
  if (batch.messages.length === 0 || !(workMs > 0)) return undefined;
  const deadline = new Deadline();
  ledger.deadline = deadline;
  return new Promise((resolve) => {
    let isOver = false;
    let stopLease: (() => void) | undefined;
    const end = (ending: Ending): void => {
      if (isOver) return;
      isOver = true;
      Deadline.stop(deadline);
      stopLease?.();
      resolve(ending);
    };
    // a handler that ends within this tick needs no timers; theirs count from its begin all the same
    process.nextTick(() => {
      if (isOver) return;
      Deadline.start(deadline, workMs, () => end({ kind: 'deadline' }));
      stopLease = keepLease(ledger, batch.ackWaitMs);
    });
    // What the handler does after the deadline, a rejection included, ends here: its messages have been settled.
    (async () => await handler(ledger.messages, context, deadline))().then(
      (value) => end({ kind: 'returned', value }),
      (error: unknown) => end({ kind: 'threw', error }),
    );
  });
}

function judge<T>(batch: Batch, ledger: Ledger<T>, ending: Ending, options: RunOptions): Verdict {
  // mostly
  if (ending.kind === 'returned' && ending.value === undefined) return { outcomes: batch.messages.map(() => ack) };
  return judgeMore(batch, ledger, ending, options);
}

function judgeMore<T>(batch: Batch, ledger: Ledger<T>, ending: Ending, options: RunOptions): Verdict {
  if (ending.kind === 'threw') return judgeError(batch, ending.error, options.backoff);
  if (ending.kind === 'deadline') return judgeProgress(batch, ledger, [], options.backoff);
  const { value } = ending;
  return isReport(value)
    ? judgeProgress(batch, ledger, value.progress, options.backoff)
    : judgeAnswer(batch, value, options);
}

/** The same for all messages. */
function judgeError({ messages }: Batch, error: unknown, backoff: Backoff): Verdict {
  return {
    outcomes: messages.map(({ deliveryCount }) => outcomeOfError(error, backoffMs(backoff, deliveryCount))),
    error,
    isWhole: !isExact(error),
  };
}

function judgeAnswer(batch: Batch, value: unknown, { backoff, strict = false }: RunOptions): Verdict {
  const ids = batch.messages.map((message) => message.id);
  const response = readAnswer(value, ids, strict);
  if (!response.ok) {
    const error = new MemphisError(
      'FUNCTION_FAILED',
      `Station ${batch.station}, group ${batch.group}: the handler's answer is no partial batch response, so all failed: ` +
        `${response.problem}.`,
      { station: batch.station, group: batch.group },
    );
    return judgeError(batch, error, backoff);
  }
  const outcomes = batch.messages.map((message): Outcome => {
    const item = response.failed.get(message.id);
    if (item === undefined) return ack;
    if (item.action !== 'retry') return item;
    return { ...item, delayMs: item.delayMs ?? backoffMs(backoff, message.deliveryCount) };
  });
  return { outcomes };
}

/** A handler may return anything, also what throws when it is looked at. */
function readAnswer(value: unknown, ids: readonly string[], strict: boolean): ParsedResponse {
  try {
    return parseResponse(value, ids, { strict });
  } catch (error) {
    return { ok: false, problem: `it cannot be read (${describeError(error)})` };
  }
}

/** Outcomes from how far each message got; one without an entry was in the handler's hands when time was up. */
function judgeProgress<T>(batch: Batch, ledger: Ledger<T>, progress: readonly Progress[], backoff: Backoff): Verdict {
  const outcomes: Outcome[] = [];
  let firstError: unknown;
  let isLate = false;
  for (const [index, message] of batch.messages.entries()) {
    const step = progress[index] ?? { state: 'running' };
    const delayMs = backoffMs(backoff, message.deliveryCount);
    if (step.state === 'done') outcomes.push(ack);
    if (step.state === 'running') outcomes.push({ action: 'retry', delayMs, reason: lateReason });
    if (step.state === 'failed') outcomes.push(outcomeOfError(step.error, delayMs));
    if (step.state === 'unstarted') {
      const blocker = step.behind === undefined ? undefined : (ledger.outcomeAt(step.behind) ?? outcomes[step.behind]);
      outcomes.push(giveBackBehind(blocker));
    }
    if (step.state === 'failed') firstError ??= step.error;
    if (step.state === 'running' && ledger.outcomeAt(index) === undefined) isLate = true;
  }
  const late = isLate ? deadlineError(batch) : undefined;
  const error = firstError ?? late;
  return error === undefined ? { outcomes } : { outcomes, error };
}

/** A parked message may come so much after its time (jetstream-servers). */
const LATE_MS = 500;

/** Behind a message that comes back later, its followers wait longer: at once, or with it, they could overtake it. */
function giveBackBehind(blocker: Outcome | undefined): Outcome {
  if (blocker?.action !== 'retry') return { action: 'giveBack' };
  return { action: 'giveBack', delayMs: blocker.delayMs + Math.min(LATE_MS, blocker.delayMs / 2) };
}

function deadlineError({ station, group }: Batch): MemphisError {
  return new MemphisError(
    'DEADLINE_EXCEEDED',
    `Station ${station}, group ${group}: ${lateReason}. Give the function more time, or smaller batches.`,
    { station, group },
  );
}

function listFailures<T>(batch: Batch, ledger: Ledger<T>): Failure[] {
  const failures: Failure[] = [];
  for (const [index, { id }] of batch.messages.entries()) {
    const outcome = ledger.outcomeAt(index);
    if (outcome?.action === 'retry' || outcome?.action === 'deadLetter') {
      failures.push({ id, reason: outcome.reason ?? 'put back by the handler' });
    }
  }
  return failures;
}
