/** A bound on invocations at the same time. Those that are started beyond it wait for their turn, in order. */

export interface Slots {
  /** How many more may be started without one having to wait; never below 0. */
  free(): number;
  /** Started and not ended, waiting ones included. */
  started(): number;
  /** Runs `work`; `turn` inside it resolves when it may go on. Never rejects on its own. */
  start(work: (turn: () => Promise<void>) => Promise<void>): void;
  /** Resolves when one ends or the signal aborts. */
  whenFreed(signal: AbortSignal): Promise<void>;
  /** Resolves when all have ended. */
  whenIdle(): Promise<void>;
}

/** @param maximum invocations at the same time, 1 and up */
export function makeSlots(maximum: number): Slots {
  let running = 0;
  const works = new Set<Promise<void>>();
  const turns: (() => void)[] = [];
  const listeners = new Set<() => void>();

  const enter = (): Promise<void> => {
    if (running < maximum) {
      running += 1;
      return Promise.resolve();
    }
    return new Promise((resolve) => turns.push(resolve));
  };
  const leave = (): void => {
    const next = turns.shift();
    if (next === undefined) running -= 1;
    else next();
  };

  return {
    free: () => Math.max(0, maximum - works.size),
    started: () => works.size,
    start(work) {
      let turn: Promise<void> | undefined;
      const ask = (): Promise<void> => {
        turn ??= enter();
        return turn;
      };
      const ended: Promise<void> = work(ask).finally(async () => {
        // Work that ended without its turn still stands in the row: the place is passed on when it comes up.
        void turn?.then(leave);
        works.delete(ended);
        for (const listener of [...listeners]) listener();
      });
      works.add(ended);
      ended.catch(() => undefined);
    },
    whenFreed: (signal) =>
      new Promise((resolve) => {
        const done = (): void => {
          listeners.delete(done);
          signal.removeEventListener('abort', done);
          resolve();
        };
        if (signal.aborted) return resolve();
        listeners.add(done);
        signal.addEventListener('abort', done, { once: true });
      }),
    async whenIdle() {
      while (works.size > 0) await Promise.allSettled([...works]);
    },
  };
}
