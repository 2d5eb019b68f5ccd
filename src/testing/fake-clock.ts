/** A clock that stands still until it is told to go on. */

import { MemphisError } from '../model/errors.ts';

/** What needs time asks one of these. */
export interface Clock {
  /** Milliseconds; of a real clock those since 1970. */
  now(): number;
  /** Resolves after `ms`, or at once when the signal aborts. Never rejects, leaves no timer. */
  wait(ms: number, signal?: AbortSignal): Promise<void>;
}

/** A clock for tests. */
export interface FakeClock extends Clock {
  /** Goes forward; waits that end on the way end in their order, each followed by what was waiting for it. */
  advance(ms: number): Promise<void>;
}

interface Waiter {
  readonly atMs: number;
  end(): void;
}

/**
 * Makes a clock that only `advance` moves.
 *
 * @param startMs @default 1 January 2026, UTC
 * @throws MemphisError `INVALID_OPTION`; so does `advance`
 */
export function makeFakeClock(startMs: number = Date.UTC(2026, 0, 1)): FakeClock {
  checkMs('makeFakeClock', startMs);
  let nowMs = startMs;
  const waiters = new Set<Waiter>();
  const next = (untilMs: number): Waiter | undefined => {
    let first: Waiter | undefined;
    for (const waiter of waiters) {
      if (waiter.atMs <= untilMs && (first === undefined || waiter.atMs < first.atMs)) first = waiter;
    }
    return first;
  };
  return {
    now: () => nowMs,
    wait: (ms, signal) =>
      new Promise((resolve) => {
        if (signal?.aborted) {
          resolve();
          return;
        }
        const end = (): void => {
          waiters.delete(waiter);
          signal?.removeEventListener('abort', end);
          resolve();
        };
        const waiter: Waiter = { atMs: nowMs + ms, end };
        waiters.add(waiter);
        signal?.addEventListener('abort', end);
      }),
    advance: async (ms) => {
      checkMs('advance', ms);
      const untilMs = nowMs + ms;
      await turn();
      for (let waiter = next(untilMs); waiter !== undefined; waiter = next(untilMs)) {
        nowMs = Math.max(nowMs, waiter.atMs);
        waiter.end();
        await turn();
      }
      nowMs = untilMs;
    },
  };
}

function checkMs(where: string, ms: unknown): void {
  if (Number.isSafeInteger(ms) && (ms as number) >= 0) return;
  throw new MemphisError('INVALID_OPTION', `${where}: give a whole number of milliseconds from 0 up.`);
}

/** Real time. */
export const realClock: Clock = {
  now: () => Date.now(),
  wait: (ms, signal) =>
    new Promise((resolve) => {
      const end = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', end);
        resolve();
      };
      const timer = setTimeout(end, ms);
      if (signal?.aborted) end();
      else signal?.addEventListener('abort', end);
    }),
};

/** Lets everything run that is ready to. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
