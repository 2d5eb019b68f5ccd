/** Reading in the background: one batch after the other, to a handler or to a `for await`, until it is stopped. */

import { AsyncLocalStorage } from 'node:async_hooks';
import { Ledger } from '../batch/ledger.ts';
import { keepLease } from '../batch/run-timers.ts';
import { backoffMs } from '../model/backoff.ts';
import type { Batch } from '../model/batch.ts';
import { describeError, isMemphisError } from '../model/errors.ts';
import type { Message } from '../model/message.ts';
import { untilStopped } from './until-stopped.ts';

/** Gets one batch, and the context that `consume` was given. Settles each message itself. */
export type ConsumeHandler<T = unknown, C = unknown> = (messages: Message<T>[], context: C) => unknown;

/** What reading in the background needs. */
export interface ConsumingOptions {
  /** One batch; the signal ends its wait. */
  readonly pull: (signal: AbortSignal) => Promise<Batch>;
  readonly pullIntervalMs: number;
  readonly onError: ((error: unknown) => void) | undefined;
}

/** Longest pause after trouble. */
const MAX_PAUSE_MS = 30_000;

/** Whose handler is at work: it may stop its own run, and must not wait for itself then. */
const atWork = new AsyncLocalStorage<Consuming>();

/** One run, from `consume` to `stop`. */
export class Consuming {
  readonly #options: ConsumingOptions;
  readonly #stop = new AbortController();
  readonly #ended = Promise.withResolvers<void>();
  #isOver = false;
  /** What ends the run while it stands still in the body of a `for await`. */
  #onStop: (() => Promise<void>) | undefined;

  constructor(options: ConsumingOptions) {
    this.#options = options;
  }

  /** Resolves when the run is over. Never rejects. */
  get ended(): Promise<void> {
    return this.#ended.promise;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  get isStopping(): boolean {
    return this.#stop.signal.aborted;
  }

  /** Starts the loop. Never throws, leaves no rejection. */
  run<T, C>(handler: ConsumeHandler<T, C>, context: C): void {
    void this.#loop(handler, context).finally(() => this.end());
  }

  /** Resolves when the run is over, or at once where the run itself is waiting for this. */
  async stop(): Promise<void> {
    this.#stop.abort();
    if (this.#onStop !== undefined) {
      await this.#onStop();
      this.end();
    } else if (atWork.getStore() !== this) await this.#ended.promise;
  }

  /** From now on the run stands still in somebody else's code: `onStop` ends it there. Nothing: it goes on. */
  standStill(onStop: (() => Promise<void>) | undefined): void {
    this.#onStop = onStop;
  }

  /** The run is over: nothing of it is under way. */
  end(): void {
    this.#isOver = true;
    this.#ended.resolve();
  }

  /** The next batch that holds messages; nothing when stopped. What came while stopping is given back. */
  async next(): Promise<Batch | undefined> {
    const { pull, pullIntervalMs } = this.#options;
    while (!this.isStopping) {
      const startedAt = performance.now();
      const batch = await untilStopped(pull(this.#stop.signal), this.#stop.signal);
      if (batch === undefined) return undefined;
      if (batch.messages.length > 0) {
        if (!this.isStopping) return batch;
        await giveBack(new Ledger(batch));
        return undefined;
      }
      await this.#pause(pullIntervalMs - (performance.now() - startedAt));
    }
    return undefined;
  }

  async #loop<T, C>(handler: ConsumeHandler<T, C>, context: C): Promise<void> {
    for (let failures = 0; !this.isStopping; ) {
      try {
        const batch = await this.next();
        failures = 0;
        if (batch !== undefined) await this.#handle(batch, handler, context);
      } catch (error) {
        if (isMemphisError(error, 'CLOSED')) {
          if (!this.isStopping) this.#report(error);
          return;
        }
        failures++;
        this.#report(error);
        await this.#pause(
          backoffMs({ baseMs: Math.max(100, this.#options.pullIntervalMs), maxMs: MAX_PAUSE_MS }, failures),
        );
      }
    }
  }

  async #handle<T, C>(batch: Batch, handler: ConsumeHandler<T, C>, context: C): Promise<void> {
    const ledger = new Ledger<T>(batch);
    const stopLease = keepLease(ledger, batch.ackWaitMs);
    try {
      await atWork.run(this, () => handler([...ledger.messages], context));
    } catch (error) {
      this.#report(error);
    } finally {
      stopLease();
      await ledger.quiet();
    }
    // what the handler settled without awaiting it: seen here, so that stopping waits for it
    await ledger.confirmed().catch((error: unknown) => this.#report(error));
  }

  #report(error: unknown): void {
    const { onError } = this.#options;
    if (onError === undefined) warn(error);
    else (async () => onError(error))().catch(warn); // it may be asynchronous: nothing may reach the process unhandled
  }

  /** Ends early at `stop`. */
  #pause(ms: number): Promise<void> {
    const { signal } = this.#stop;
    if (ms <= 0 || signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const end = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', end);
        resolve();
      };
      const timer = setTimeout(end, ms);
      signal.addEventListener('abort', end, { once: true });
    });
  }
}

function warn(thrown: unknown): void {
  process.emitWarning(thrown instanceof Error ? thrown : describeError(thrown));
}

/** Messages one by one. The time to settle is extended for those of a batch that wait for their turn. */
export async function* iterate<T>(run: Consuming): AsyncGenerator<Message<T>, void, void> {
  try {
    for (let batch = await run.next(); batch !== undefined; batch = await run.next()) {
      yield* handOut<T>(run, batch);
    }
  } finally {
    run.end();
  }
}

async function* handOut<T>(run: Consuming, batch: Batch): AsyncGenerator<Message<T>, void, void> {
  const ledger = new Ledger<T>(batch);
  const stopLease = keepLease(ledger, batch.ackWaitMs);
  let handedOut = 0;
  const end = async (): Promise<void> => {
    run.standStill(undefined);
    stopLease();
    await ledger.quiet();
    await giveBack(ledger, handedOut);
  };
  try {
    for (const message of ledger.messages) {
      if (run.isStopping) return;
      handedOut++;
      run.standStill(end);
      yield message;
      run.standStill(undefined);
    }
  } finally {
    await end();
  }
}

/** Puts back what nobody has seen. Best effort: without an answer it comes again when its time is over. */
async function giveBack<T>(ledger: Ledger<T>, from = 0): Promise<void> {
  const unseen = ledger.messages.map((_, index) => index).filter((index) => index >= from);
  await Promise.allSettled(unseen.map((index) => ledger.decide(index, { action: 'giveBack' })));
}
