/** The two timers of a run: its deadline and the lease of its messages. Both are gone when the run is over. */

import type { Ledger } from './ledger.ts';

const LONGEST_TIMER_MS = 2_147_483_647; // Node fires longer ones at once.

/** The end of the time for work. */
export interface Deadline {
  readonly signal: AbortSignal;
  /** Resolves one turn of the event loop after the signal: a handler that stops at the signal still counts. */
  readonly passed: Promise<void>;
  /** Ends the timer; the signal stays as it is. */
  stop(): void;
}

/** @param workMs `Infinity`, or more than a timer can hold: no deadline */
export function startDeadline(workMs: number): Deadline {
  const controller = new AbortController();
  if (workMs > LONGEST_TIMER_MS) {
    return { signal: controller.signal, passed: new Promise(() => {}), stop: () => {} };
  }
  // Not unref'd: a handler may hang on something that keeps no process alive, and its batch must be settled still.
  let timer: NodeJS.Timeout | undefined;
  const passed = new Promise<void>((resolve) => {
    timer = setTimeout(() => {
      controller.abort(new DOMException('The time for work is over.', 'TimeoutError'));
      setImmediate(resolve);
    }, workMs);
  });
  return { signal: controller.signal, passed, stop: () => clearTimeout(timer) };
}

/**
 * Starts the time to settle anew at each third of it, for all messages that are undecided by then.
 *
 * @param ackWaitMs left out: nobody waits, nothing is done
 * @returns ends it
 */
export function keepLease<T>(ledger: Ledger<T>, ackWaitMs: number | undefined): () => void {
  if (ackWaitMs === undefined) return () => {};
  const everyMs = Math.min(Math.max(1, ackWaitMs / 3), LONGEST_TIMER_MS);
  const timer = setInterval(() => void ledger.extend(ledger.undecided()), everyMs);
  timer.unref();
  return () => clearInterval(timer);
}
