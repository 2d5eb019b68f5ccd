/**
 * The loop of one mapping: pull no more than the free invocations take, pack, hand over.
 * One puller, `maximumConcurrency` invocations; each is a batch of its own in the pipeline.
 */

import { readersOf } from '../brokers/readers.ts';
import { untilStopped } from '../client/until-stopped.ts';
import { backoffMs } from '../model/backoff.ts';
import type { Batch } from '../model/batch.ts';
import type { Broker, Reader } from '../model/broker.ts';
import { isMemphisError, MemphisError } from '../model/errors.ts';
import type { StoredMessage } from '../model/message.ts';
import type { Clock } from './clock.ts';
import type { Mapping } from './mapping.ts';
import { pack } from './pack.ts';
import type { Quiet } from './quiet.ts';
import { type MappingReport, makeTally, type Tally, toErrorText } from './report.ts';
import { makeSlots, type Slots } from './slots.ts';

/** A message that was pulled, with the batch that settles it. */
export interface Held {
  readonly message: StoredMessage;
  readonly batch: Batch;
}

/** What an invocation tells the loop. */
export interface InvocationEvents {
  /** Resolves when a slot is free. */
  turn(): Promise<void>;
  readonly tally: Tally;
  onDuration(durationMs: number): void;
  onFault(error: unknown, isFatal: boolean): void;
}

/** What a loop works with. */
export interface MappingRun {
  readonly mapping: Mapping;
  readonly clock: Clock;
  readonly quiet: Quiet;
  /** Ends pulling; what is under way goes on. */
  readonly stop: AbortSignal;
  /** The clock's time at which nothing may be under way any more; `Infinity` for a run without end. */
  readonly deadlineAt: number;
  /** When settling gives up, as a part of `PullOptions`. */
  readonly settleLimit: { readonly settleByMs?: number };
  /** Whether a mapping that cannot work is tried again after a pause, instead of ending here. */
  readonly isPersistent: boolean;
  /** Size in an event. */
  readonly envelopeBytes: number;
  readonly limitBytes: number;
  sizeOf(message: StoredMessage): number;
  /** The driver; dials where needed. */
  broker(deadlineMs: number): Promise<Broker>;
  /** Hands one invocation's messages over and settles them. Never rejects. */
  invoke(held: readonly Held[], events: InvocationEvents): Promise<void>;
  report(error: unknown): void;
}

const LONG_POLL_MS = 5_000;
const DIAL_MS = 15_000;
/** How long trouble of the broker is ridden out within a pull, before it is told of. */
const PATIENCE_MS = 20_000;
const outageBackoff = { baseMs: 200, maxMs: 10_000 };
/** How long a mapping that cannot work as it stands is left alone. */
const PAUSE_MS = 30_000;

interface LoopState {
  readonly tally: Tally;
  readonly slots: Slots;
  /** Pulled and not handed over yet; by id, since the latest delivery of a message is the one to settle. */
  readonly gathered: Map<string, Held>;
  windowEndsAt: number;
  extendedAt: number;
  /** The last thing that kept the mapping from working, until something works. */
  error: unknown;
  failures: number;
  /** Set by an invocation whose function cannot be invoked at all. */
  isPaused: boolean;
  /** Ends the pull that is waiting when the mapping pauses: it would fetch at once what is being given back. */
  pulling: AbortController;
  /** After a pause one message at a time, until one got through. */
  isProbing: boolean;
  averageMs: number;
  broker: Broker | undefined;
  reader: Reader | undefined;
}

/** Runs a mapping until its run is over, and waits for all that it began. Rejects only for our own mistakes. */
export async function runMapping(run: MappingRun): Promise<MappingReport> {
  const state = openState(run.mapping);
  try {
    while (!run.stop.aborted && (await oneRound(run, state)));
  } finally {
    dispatch(run, state, true);
    await state.slots.whenIdle();
  }
  return {
    name: run.mapping.name,
    ...state.tally,
    ...(state.error !== undefined && { error: toErrorText(state.error) }),
  };
}

function openState(mapping: Mapping): LoopState {
  return {
    tally: makeTally(),
    slots: makeSlots(mapping.maximumConcurrency),
    gathered: new Map(),
    windowEndsAt: 0,
    extendedAt: 0,
    error: undefined,
    failures: 0,
    isPaused: false,
    pulling: new AbortController(),
    isProbing: false,
    averageMs: 0,
    broker: undefined,
    reader: undefined,
  };
}

/** One turn of the loop. @returns whether there may be another one */
async function oneRound(run: MappingRun, state: LoopState): Promise<boolean> {
  if (state.isPaused) return sitOut(run, state);
  if (state.slots.free() === 0 || (state.isProbing && state.slots.started() > 0)) {
    await state.slots.whenFreed(run.stop);
    return true;
  }
  // An invocation that would be cut off by the deadline is left to whoever runs next.
  const timeMs = run.deadlineAt - run.clock.now() - state.averageMs;
  if (timeMs <= 0) return false;
  try {
    await gather(run, state, timeMs);
  } catch (error) {
    dispatch(run, state, true);
    return onPullError(run, state, error);
  }
  dispatch(run, state, state.isProbing || run.clock.now() >= state.windowEndsAt);
  return true;
}

/** Pulls once, and adds what came to what is gathered. */
async function gather(run: MappingRun, state: LoopState, timeMs: number): Promise<void> {
  const { mapping, clock } = run;
  const reader = await openReader(run, state, timeMs);
  const askedAt = clock.now();
  state.pulling = new AbortController();
  const limit = state.isProbing ? 1 : state.slots.free() * mapping.batchSize;
  const waitMs = Math.max(0, Math.min(timeMs, waitMsOf(run, state, askedAt)));
  // nobody extends the time to settle of what is gathered meanwhile
  const patienceMs = state.gathered.size === 0 ? PATIENCE_MS : Math.min(PATIENCE_MS, mapping.maxAckTimeMs / 3);
  const pulling = reader.pull({
    batchSize: limit - state.gathered.size,
    waitMs,
    patienceMs: Math.max(0, Math.min(patienceMs, timeMs - waitMs)),
    signal: AbortSignal.any([run.stop, state.pulling.signal]),
    ...run.settleLimit,
  });
  const pulled = await untilStopped(pulling, run.stop);
  if (pulled === undefined)
    throw new MemphisError('CLOSED', 'The run was stopped while the broker could not be reached.');
  state.failures = 0;
  if (!state.isProbing && !state.isPaused) state.error = undefined;
  if (pulled.messages.length === 0) {
    if (state.gathered.size === 0) run.quiet.foundNothing(mapping.name, askedAt);
  } else {
    run.quiet.moved();
    state.tally.polled += pulled.messages.length;
    if (state.gathered.size === 0) startWindow(run, state, timeMs - (clock.now() - askedAt));
    for (const message of pulled.messages) state.gathered.set(message.id, { message, batch: pulled });
  }
  await keepGathered(run, state);
}

async function openReader(run: MappingRun, state: LoopState, timeMs: number): Promise<Reader> {
  const { station, group, binding, maxAckTimeMs, maximumRetryAttempts } = run.mapping;
  const broker = await run.broker(Date.now() + Math.min(DIAL_MS, timeMs));
  if (broker !== state.broker || state.reader === undefined) {
    state.broker = broker;
    state.reader = readersOf(broker).reader({
      station,
      group,
      ...(binding === undefined ? {} : { binding }),
      ackWaitMs: maxAckTimeMs,
      maxDeliveries: maximumRetryAttempts + 1,
    });
  }
  return state.reader;
}

function waitMsOf(run: MappingRun, state: LoopState, now: number): number {
  if (state.gathered.size === 0) return Math.min(LONG_POLL_MS, run.quiet.patienceMs(run.mapping.name));
  return Math.min(state.windowEndsAt - now, run.mapping.maxAckTimeMs / 3);
}

function startWindow(run: MappingRun, state: LoopState, timeMs: number): void {
  const now = run.clock.now();
  state.windowEndsAt = now + Math.min(run.mapping.batchWindowMs, Math.max(0, timeMs));
  state.extendedAt = now;
}

/** Nothing extends the time to settle of messages that wait for others, unless we do. */
async function keepGathered(run: MappingRun, state: LoopState): Promise<void> {
  if (state.gathered.size === 0 || run.clock.now() - state.extendedAt < run.mapping.maxAckTimeMs / 3) return;
  state.extendedAt = run.clock.now();
  const batches = new Map<Batch, StoredMessage[]>();
  for (const { message, batch } of state.gathered.values()) {
    const messages = batches.get(batch) ?? [];
    messages.push(message);
    batches.set(batch, messages);
  }
  // without a way to the broker this would take as long as a dial may
  const over = new AbortController();
  void Promise.allSettled([...batches].map(([batch, messages]) => batch.extend(messages))).then(() => over.abort());
  await run.clock.wait(run.mapping.maxAckTimeMs / 3, AbortSignal.any([run.stop, over.signal]));
}

/** Hands over full packs at once, and the last one too when waiting is over or no slot is left to wait for. */
function dispatch(run: MappingRun, state: LoopState, isWindowOver: boolean): void {
  const packs = pack([...state.gathered.values()], {
    batchSize: run.mapping.batchSize,
    limitBytes: run.limitBytes,
    envelopeBytes: run.envelopeBytes,
    sizeOf: ({ message }) => run.sizeOf(message),
  });
  for (const { items, full } of packs) {
    if (!full && !isWindowOver && state.slots.free() > 0) continue;
    for (const { message } of items) state.gathered.delete(message.id);
    start(run, state, items);
  }
}

function start(run: MappingRun, state: LoopState, held: readonly Held[]): void {
  run.quiet.began();
  state.slots.start(async (turn) => {
    await run.invoke(held, {
      turn,
      tally: state.tally,
      onDuration: (durationMs) => {
        state.averageMs = state.averageMs === 0 ? durationMs : state.averageMs * 0.8 + durationMs * 0.2;
        if (!state.isPaused) state.error = undefined;
        state.isProbing = false;
      },
      onFault: (error, isFatal) => {
        if (!isFatal) return run.report(error);
        if (!state.isPaused) run.report(error);
        state.error = error;
        state.isPaused = true;
        state.pulling.abort();
      },
    });
    run.quiet.ended();
  });
}

/** Waits out a pause. @returns whether to go on */
async function sitOut(run: MappingRun, state: LoopState): Promise<boolean> {
  dispatch(run, state, true);
  await state.slots.whenIdle();
  if (!run.isPersistent) return false;
  await pause(run, PAUSE_MS);
  state.isPaused = false;
  state.isProbing = true;
  return true;
}

async function onPullError(run: MappingRun, state: LoopState, error: unknown): Promise<boolean> {
  if (run.stop.aborted) return false;
  const isRetryable = isMemphisError(error) && error.retryable;
  state.failures += 1;
  if (state.failures === 1 || !isRetryable) run.report(error);
  state.error = error;
  if (isRetryable) {
    await run.clock.wait(Math.min(backoffMs(outageBackoff, state.failures), timeLeft(run)), run.stop);
    return true;
  }
  if (!run.isPersistent || isMemphisError(error, 'CLOSED')) return false;
  await pause(run, PAUSE_MS);
  return true;
}

/** A mapping that cannot work must not keep a run alive that ends when there is nothing to do. */
async function pause(run: MappingRun, ms: number): Promise<void> {
  run.quiet.foundNothing(run.mapping.name, Number.POSITIVE_INFINITY);
  await run.clock.wait(Math.min(ms, timeLeft(run)), run.stop);
}

const timeLeft = (run: MappingRun): number => Math.max(0, run.deadlineAt - run.clock.now());
