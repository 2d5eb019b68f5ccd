/**
 * What an invocation has under way: it must be over before the function returns, since a freeze would hold it for
 * minutes; and a failure that nobody awaited must be seen without reaching the process as an unhandled rejection.
 */

import { Watched } from '../client/watched.ts';

/** Turns for callbacks of what has just ended to start more. */
const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

export class UnderWay {
  readonly #open = new Set<Promise<unknown>>();
  readonly #failed: { readonly promise: Watched<unknown>; readonly error: unknown }[] = [];
  readonly #refuse: () => Error;
  readonly #onLate: (error: unknown) => void;
  #isOver = false;

  /**
   * @param refuse the error of what is started after the end
   * @param onLate told of failures after the end that nobody looked at
   */
  constructor(refuse: () => Error, onLate: (error: unknown) => void) {
    this.#refuse = refuse;
    this.#onLate = onLate;
  }

  /** Starts something. Rejects when the invocation is over. */
  run<T>(start: () => Promise<T>): Promise<T> {
    if (this.#isOver) return this.#own(Watched.reject(this.#refuse()) as Watched<T>);
    const work = start();
    this.#open.add(work);
    const done = (): void => {
      this.#open.delete(work);
    };
    work.then(done, done);
    return this.#own(Watched.resolve(work) as Watched<T>);
  }

  /**
   * Waits for everything started, also for what is started meanwhile. Never rejects.
   *
   * @returns the failures that nobody looked at; each is told once
   */
  async settled(): Promise<unknown[]> {
    while (this.#open.size > 0) {
      await Promise.allSettled(this.#open);
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

  #own<T>(promise: Watched<T>): Watched<T> {
    promise.onRejection((error) => {
      if (!this.#isOver) this.#failed.push({ promise, error });
      else setImmediate(() => promise.isSeen || this.#onLate(error));
    });
    return promise.watch((derived) => this.#own(derived));
  }
}
