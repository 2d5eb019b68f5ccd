/**
 * Time limits of many waits with one timer, which is there only while somebody waits. What has arrived when a limit is
 * over counts: after a freeze timers run before the sockets are read.
 */

import { monotonicMs } from '../monotonic.ts';

/** No timer of Node is longer. */
const MAX_MS = 2_147_483_647;

/** The time of what has no limit. */
export const NEVER = Number.POSITIVE_INFINITY;

/** A wait with a limit. */
export interface Deadline {
  /** By the monotonic clock. */
  readonly at: number;
  /** Called once when the time is over, unless it was deleted before. @param now by the monotonic clock: what had arrived by then was read */
  late(now: number): void;
}

export class Deadlines {
  readonly #open = new Set<Deadline>();
  #timer: NodeJS.Timeout | undefined;
  #reading: NodeJS.Immediate | undefined;
  #nextAt = NEVER;
  readonly #wake: () => void;

  /** @param wake sees to it that `rest` is called at the end of this tick */
  constructor(wake: () => void) {
    this.#wake = wake;
  }

  add(deadline: Deadline): void {
    this.#open.add(deadline);
    if (deadline.at < this.#nextAt) this.#arm(deadline.at);
  }

  delete(deadline: Deadline): void {
    if (this.#open.delete(deadline) && this.#open.size === 0) this.#wake();
  }

  /** Ends the timer where nobody waits. Not at once: mostly the next wait begins in the same tick, and setting one costs as much as sending. */
  rest(): void {
    if (this.#open.size === 0 && this.#nextAt !== NEVER) this.#arm(NEVER);
  }

  /** @param late called when the time is over @returns ends it */
  start(ms: number, late: () => void): () => void {
    const deadline = { at: monotonicMs() + ms, late };
    this.add(deadline);
    return () => this.delete(deadline);
  }

  /** Nobody waits any more. */
  clear(): void {
    this.#open.clear();
    this.#arm(NEVER);
  }

  #arm(at: number): void {
    clearTimeout(this.#timer);
    clearImmediate(this.#reading);
    this.#nextAt = at;
    if (at === NEVER) return;
    const look = (): void => {
      const now = monotonicMs() + 1; // a timer may be early by a fraction
      this.#reading = setImmediate(() => this.#look(now));
    };
    this.#timer = setTimeout(look, Math.max(1, Math.min(MAX_MS, at - monotonicMs())));
  }

  /** @param now as the timer saw it: a freeze behind that may have kept answers from being read */
  #look(now: number): void {
    this.#nextAt = NEVER;
    let next = this.#nextAt;
    for (const deadline of [...this.#open]) {
      if (deadline.at > now) next = Math.min(next, deadline.at);
      else if (this.#open.delete(deadline)) deadline.late(now);
    }
    if (next < this.#nextAt) this.#arm(next);
  }
}
