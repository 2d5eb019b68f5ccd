/** Whether anybody looks at a promise: only then its failure is theirs, and else it must show elsewhere. */

import { nextTurn } from '../model/next-turn.ts';

/** Told of the failure of a promise, or of one that is derived from it. */
type OnFailure = (promise: Watched<unknown>, error: unknown) => void;

/** A promise that knows whether anybody looked at it, `await` included, and never is an unhandled rejection itself. */
export class Watched<T> extends Promise<T> {
  /** What is derived is made by `then` below, which watches it. */
  static override get [Symbol.species](): PromiseConstructor {
    return Promise;
  }

  readonly fulfil: (value: T) => void;
  readonly #reject: (error: unknown) => void;
  readonly #onFailure: OnFailure;
  #isSeen = false;

  constructor(onFailure: OnFailure) {
    let settle: readonly [fulfil: (value: T) => void, reject: (error: unknown) => void] | undefined;
    super((fulfil, reject) => {
      settle = [fulfil, reject];
    });
    [this.fulfil, this.#reject] = settle as unknown as [(value: T) => void, (error: unknown) => void];
    this.#onFailure = onFailure;
  }

  get isSeen(): boolean {
    return this.#isSeen;
  }

  fail(error: unknown): void {
    this.#reject(error);
    super.then(undefined, () => {}); // handled: it is told
    this.#onFailure(this as Watched<unknown>, error);
  }

  /** Ends as some work does. */
  follow(work: PromiseLike<T>): this {
    work.then(this.fulfil, (error: unknown) => this.fail(error));
    return this;
  }

  // biome-ignore lint/suspicious/noThenProperty: a promise that watches its own `then` is the point
  override then<A = T, B = never>(
    onFulfilled?: ((value: T) => A | PromiseLike<A>) | null,
    onRejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    this.#isSeen = true;
    const derived = super.then(onFulfilled, onRejected);
    // whoever takes its failure, as `await` does, has looked: what their callbacks throw is theirs
    return onRejected ? derived : new Watched<A | B>(this.#onFailure).follow(derived);
  }

  /** Passes a failure on. */
  override finally(onFinally?: (() => void) | null): Promise<T> {
    return new Watched<T>(this.#onFailure).follow(super.finally(onFinally));
  }
}

/**
 * Makes of some work a promise that may be left alone: its failure is no unhandled rejection, and neither is that of
 * what was derived from it. What a callback of the caller throws is, as always.
 *
 * @returns `missed`: whether the work failed and nobody looked, told a turn after its end. Never rejects
 */
export function leavable<T>(work: Promise<T>): { readonly promise: Promise<T>; readonly missed: Promise<boolean> } {
  const ends: Watched<unknown>[] = [];
  let failure: { readonly error: unknown } | undefined;
  const missed = work.then(
    () => false,
    async (error: unknown) => {
      failure = { error };
      await nextTurn(); // callbacks that look at a promise are set before, or never
      return ends.some((end) => !end.isSeen);
    },
  );
  const promise = new Watched<T>((failed, reason) => {
    if (failure !== undefined && reason === failure.error) ends.push(failed);
    else setImmediate(() => failed.isSeen || Promise.reject(reason));
  });
  return { promise: promise.follow(work), missed };
}
