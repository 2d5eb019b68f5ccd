/** Whether anybody looks at a promise: only then its failure is theirs, and else it must show elsewhere. */

/** A promise that knows whether anybody looked at it, `await` included, and never is an unhandled rejection itself. */
export class Watched<T> extends Promise<T> {
  #isSeen = false;
  #watch: ((derived: Watched<unknown>) => void) | undefined;

  get isSeen(): boolean {
    return this.#isSeen;
  }

  /** What is derived from it is watched likewise: `void context.produce(a).then(log)` derives one that may reject. */
  watch(watch: (derived: Watched<unknown>) => void): this {
    this.#watch = watch;
    return this;
  }

  // biome-ignore lint/suspicious/noThenProperty: a promise that watches its own `then` is the point
  override then<A = T, B = never>(
    onFulfilled?: ((value: T) => A | PromiseLike<A>) | null,
    onRejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    this.#isSeen = true;
    const derived = super.then(onFulfilled, onRejected) as Watched<A | B>;
    this.#watch?.(derived);
    return derived;
  }

  /** Calls back on rejection without being somebody who looked. */
  onRejection(call: (error: unknown) => void): void {
    super.then(undefined, call);
  }
}

/** Callbacks that look at a promise are set before the next turn of the event loop, or never. */
const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

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
      await nextTurn();
      return ends.some((end) => !end.isSeen);
    },
  );
  const own = (promise: Watched<unknown>): void => {
    promise.onRejection((reason) => {
      if (failure !== undefined && reason === failure.error) ends.push(promise);
      else setImmediate(() => promise.isSeen || Promise.reject(reason));
    });
    promise.watch(own);
  };
  const promise = Watched.resolve(work) as Watched<T>;
  own(promise);
  return { promise, missed };
}
