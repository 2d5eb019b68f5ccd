/**
 * What an invocation has under way: it must be over before the function returns, since a freeze would hold it for
 * minutes; and a failure that nobody awaited must be seen without reaching the process as an unhandled rejection.
 */

import { Watched } from '../client/watched.ts';

/** Turns for callbacks of what has just ended to start more. */
const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

export class UnderWay {
  readonly #failed: { readonly promise: Watched<unknown>; readonly error: unknown }[] = [];
  readonly #refuse: () => Error;
  readonly #onLate: (error: unknown) => void;
  #open = 0;
  /** Called when nothing is open any more. */
  readonly #onIdle: (() => void)[] = [];
  #isOver = false;

  /**
   * @param refuse the error of what is started after the end
   * @param onLate told of failures after the end that nobody looked at
   */
  constructor(refuse: () => Error, onLate: (error: unknown) => void) {
    this.#refuse = refuse;
    this.#onLate = onLate;
  }

  /** Starts something; what `start` throws is its failure. Rejects when the invocation is over. */
  run<T>(start: () => Promise<T>): Promise<T> {
    if (this.#isOver) return new Watched<T>(Promise.reject(this.#refuse()), this.#onFailure);
    this.#open++;
    let work: Promise<T>;
    try {
      work = start();
    } catch (error) {
      work = Promise.reject(error);
    }
    return new Watched<T>(work, this.#onFailure, this.#onEnd);
  }

  /**
   * Waits for everything started, also for what is started meanwhile. Never rejects.
   *
   * @returns the failures that nobody looked at; each is told once
   */
  async settled(): Promise<unknown[]> {
    while (this.#open > 0) {
      await new Promise<void>((resolve) => this.#onIdle.push(resolve));
      await nextTurn();
    }
    if (this.#failed.length > 0) await nextTurn();
    const unseen = this.#failed.splice(0).filter(({ promise }) => !promise.isSeen);
    return unseen.map(({ error }) => error);
  }

  /** As `settled`; what is started from then on is refused. */
  async end(): Promise<unknown[]> {
    const unseen = await this.settled();
    this.#isOver = true;
    return unseen;
  }

  readonly #onEnd = (): void => {
    if (--this.#open === 0) for (const resolve of this.#onIdle.splice(0)) resolve();
  };

  readonly #onFailure = (promise: Watched<unknown>, error: unknown): void => {
    if (!this.#isOver) this.#failed.push({ promise, error });
    else setImmediate(() => promise.isSeen || this.#onLate(error));
  };
}
