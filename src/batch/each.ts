/** `each`: a handler of single messages as a handler of batches; bounded, in order per key where wanted. */

import { MemphisError } from '../model/errors.ts';
import { isList } from '../model/fields.ts';
import type { LambdaContext } from '../model/lambda-context.ts';
import type { Message } from '../model/message.ts';
import type { Given } from '../model/option-spec.ts';
import { eachOptions } from '../model/options/each.ts';
import { resolveOptions } from '../model/resolve-options.ts';
import { decidedOutcome, stopSignal } from './message.ts';
import { makeReport, type Progress } from './report.ts';
import type { BatchHandler } from './run-batch.ts';

/** What a handler of single messages gets beside the value. */
export interface EachRun<T, C> {
  readonly message: Message<T>;
  readonly context: C;
  /** Aborts when the time kept back to settle begins. */
  readonly signal: AbortSignal;
}

/** What {@link each} makes: a handler of batches that other wrappers may stand around, since it knows the end of time without being told. */
export type EachHandler<T, C> = (
  messages: readonly Message<T>[],
  context: C,
  run?: Parameters<BatchHandler<T, C>>[2],
) => unknown;

/** Options of {@link each}. */
export interface EachOptions<T> extends Omit<Given<typeof eachOptions>, 'orderedBy'> {
  /**
   * Keeps the order of messages of one key while keys run in parallel: the partition, the key that the producer
   * gave, or what a function makes of a message. Messages without a key (`undefined`) are not ordered; one for which
   * the function throws fails alone.
   *
   * @default no order
   */
  readonly orderedBy?: 'partition' | 'partitionKey' | ((message: Message<T>) => string | number | undefined);
}

/**
 * Calls a function for each message, the decoded value first. Returning is the ack of that message, throwing
 * its retry (`RetryLater` and `DeadLetter` are exact).
 *
 * With `orderedBy`, a key stops at its first failure: its later messages are given back unseen, which costs them
 * no delivery, and wait a little longer than the failed one, so that they do not overtake it. This orders one batch; batches
 * that are under way at the same time, or pulled while a failed message waits, know nothing of it. At the deadline, messages
 * that were not started are given back, those under way are delivered again.
 *
 * @param options.concurrency calls at the same time, 1 and up. @default 10
 * @throws MemphisError `INVALID_OPTION`; invocations: `INVALID_EVENT` where no wrapper hands it messages
 * @example
 * ```ts
 * export const handler = withMemphis(each<Order>(async (order) => { await bill(order); }, { orderedBy: 'partition' }));
 * ```
 */
export function each<T = unknown, C = LambdaContext>(
  handle: (value: T, run: EachRun<T, C>) => unknown,
  options?: EachOptions<T>,
): EachHandler<T, C> {
  if (typeof handle !== 'function') {
    throw new MemphisError('INVALID_OPTION', 'each: the handler must be a function.', { option: 'handler' });
  }
  const { concurrency, orderedBy } = resolveOptions('each', eachOptions, options);
  const keyOf = toKey<T>(orderedBy as EachOptions<T>['orderedBy']);

  return async (messages, context, run) => {
    if (!isList(messages)) throw isUnwrapped();
    const signal = stopSignal(messages, run?.signal);
    const progress: Progress[] = messages.map(() => ({ state: 'unstarted' }));
    const lanes = toLanes(messages, keyOf, (index, error) => {
      progress[index] = { state: 'failed', error };
    });
    const waiting = lanes.values(); // shared: each worker takes the next lane

    const runOne = async (index: number, message: Message<T>): Promise<boolean> => {
      progress[index] = { state: 'running' };
      try {
        await handle(message.value(), { message, context, signal });
        progress[index] = { state: 'done' };
      } catch (error) {
        progress[index] = { state: 'failed', error };
      }
      return isDone(message, progress[index]);
    };
    const worker = async (): Promise<void> => {
      for (const lane of waiting) {
        for (const index of lane) {
          if (signal.aborted) return;
          if (!(await runOne(index, messages[index] as Message<T>))) break;
        }
      }
    };

    const work = Promise.all(Array.from({ length: Math.min(concurrency, messages.length) }, worker));
    await untilAborted(work, signal);
    return makeReport(withBlockers(messages, lanes, progress));
  };
}

function isUnwrapped(): MemphisError {
  return new MemphisError(
    'INVALID_EVENT',
    'each: what it makes handles a list of messages, and got something else. Hand it to withMemphis, or put memphisConsumer in front.',
  );
}

/** The progress at this moment, where those not started say which message of their lane they stand behind. */
function withBlockers(
  messages: readonly Message[],
  lanes: readonly (readonly number[])[],
  progress: readonly Progress[],
): readonly Progress[] {
  const result = [...progress]; // a copy: what ends later must not change it
  for (const lane of lanes) {
    let behind: number | undefined;
    for (const index of lane) {
      const step = progress[index] as Progress;
      if (step.state !== 'unstarted' && !isDone(messages[index] as Message, step)) behind = index;
      if (step.state === 'unstarted' && behind !== undefined) result[index] = { state: 'unstarted', behind };
    }
  }
  return result;
}

/** Whether its key may go on: a message that the handler put back itself is not done, whatever it returned. */
function isDone(message: Message, progress: Progress): boolean {
  const decided = decidedOutcome(message);
  return decided === undefined ? progress.state === 'done' : decided.action === 'ack';
}

function toKey<T>(orderedBy: EachOptions<T>['orderedBy']): ((message: Message<T>) => unknown) | undefined {
  if (orderedBy === 'partition') return (message) => message.partition;
  if (orderedBy === 'partitionKey') return (message) => message.partitionKey;
  return orderedBy;
}

/**
 * Indexes of messages that must not overtake each other, each list in the order in which they were stored.
 *
 * @param onFailed told of a message without a key that can be read: it fails alone, whatever the others do
 */
function toLanes<T>(
  messages: readonly Message<T>[],
  keyOf: ((message: Message<T>) => unknown) | undefined,
  onFailed: (index: number, error: unknown) => void,
): readonly (readonly number[])[] {
  if (keyOf === undefined) return messages.map((_, index) => [index]);
  const lanes: number[][] = [];
  const byKey = new Map<unknown, number[]>();
  for (const [index, message] of messages.entries()) {
    let key: unknown;
    try {
      key = checkKey(keyOf(message));
    } catch (error) {
      onFailed(index, error);
      continue;
    }
    const known = key === undefined ? undefined : byKey.get(key);
    if (known !== undefined) known.push(index);
    else {
      const lane = [index];
      lanes.push(lane);
      if (key !== undefined) byKey.set(key, lane);
    }
  }
  for (const lane of byKey.values()) lane.sort((a, b) => byStored(messages[a] as Message, messages[b] as Message));
  return lanes;
}

/** Redeliveries may have come behind what was stored after them. */
function byStored(a: Message, b: Message): number {
  return a.partition === b.partition ? a.sequence - b.sequence : a.timestamp.getTime() - b.timestamp.getTime();
}

/** Objects are never the same twice: a promise of a key would keep no order at all. */
function checkKey(key: unknown): unknown {
  if ((typeof key !== 'object' || key === null) && typeof key !== 'function') return key;
  throw new MemphisError('INVALID_OPTION', 'each: orderedBy must make a text or a number of a message.', {
    option: 'orderedBy',
  });
}

/** Waits for the work or the signal, whichever is first; leaves no listener. */
async function untilAborted(work: Promise<unknown>, signal: AbortSignal): Promise<void> {
  let stop = (): void => {};
  const aborted = new Promise<void>((resolve) => {
    stop = resolve;
    signal.addEventListener('abort', stop, { once: true });
  });
  await Promise.race([work, aborted]);
  signal.removeEventListener('abort', stop);
}
