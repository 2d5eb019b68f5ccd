/** The two timers of a run: its deadline and the lease of its messages. Both are gone when the run is over. */

import { LONGEST_TIMER_MS } from '../model/deadline.ts';
import type { Ledger } from './ledger.ts';

/** The end of the time for work. Handlers are given it for its signal. */
export class Deadline {
  #timer: NodeJS.Timeout | undefined;
  /** Made when somebody asks for the signal: most handlers do not. */
  #controller: AbortController | undefined;
  #isPassed = false;

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#isPassed) this.#controller.abort(timeIsOver());
    }
    return this.#controller.signal;
  }

  /**
   * Not for handlers, and so no method.
   *
   * @param workMs `Infinity`, or more than a timer can hold: no deadline
   * @param onPassed called one turn of the event loop after the signal: a handler that stops at the signal still counts
   */
  static start(deadline: Deadline, workMs: number, onPassed: () => void): void {
    if (workMs > LONGEST_TIMER_MS) return;
    // Not unref'd: a handler may hang on something that keeps no process alive, and its batch must be settled still.
    deadline.#timer = setTimeout(() => {
      deadline.#isPassed = true;
      deadline.#controller?.abort(timeIsOver());
      setImmediate(onPassed);
    }, workMs);
  }

  /** Ends the timer; the signal stays as it is. */
  static stop(deadline: Deadline): void {
    clearTimeout(deadline.#timer);
  }
}

function timeIsOver(): DOMException {
  return new DOMException('The time for work is over.', 'TimeoutError');
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
