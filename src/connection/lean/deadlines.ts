/**
 * Time limits of many waits with one timer, which is there only while somebody waits. What has arrived when a limit is
 * over counts: after a freeze timers run before the sockets are read.
 */

import { MemphisError } from '../../model/errors.ts';
import { monotonicMs } from '../monotonic.ts';

/** No timer of Node is longer. */
const MAX_MS = 2_147_483_647;

/** The time of what has no limit. */
export const NEVER = Number.POSITIVE_INFINITY;

/** A wait with a limit. */
export interface Deadline {
  /** By the monotonic clock. */
  readonly at: number;
  /** Called once when the time is over, unless it was deleted before. */
  late(): void;
}

/** Ends a wait: with an error, or with what was waited for. */
export type End<T> = (error?: Error, value?: T) => void;

export class Deadlines {
  readonly #open = new Set<Deadline>();
  #timer: NodeJS.Timeout | undefined;
  #reading: NodeJS.Immediate | undefined;
  #nextAt = NEVER;

  add(deadline: Deadline): void {
    this.#open.add(deadline);
    if (deadline.at < this.#nextAt) this.#arm(deadline.at);
  }

  delete(deadline: Deadline): void {
    if (this.#open.delete(deadline) && this.#open.size === 0) this.#arm(NEVER);
  }

  /**
   * A wait that ends once, however it ends.
   *
   * @param late the words where its time is over
   * @param begin what is done so that it ends; the wait fails with what it throws
   * @param over told of the end
   * @throws MemphisError `TIMEOUT`
   */
  wait<T>(timeoutMs: number, late: string, begin: (end: End<T>) => void, over?: () => void): Promise<T> {
    return new Promise((resolve, reject) => {
      const end: End<T> = (error, value) => {
        this.delete(deadline);
        over?.();
        if (error === undefined) resolve(value as T);
        else reject(error);
      };
      const deadline = { at: monotonicMs() + timeoutMs, late: () => end(new MemphisError('TIMEOUT', late)) };
      begin(end);
      this.add(deadline);
    });
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
      this.#reading = setImmediate(() => this.#look());
    };
    this.#timer = setTimeout(look, Math.min(MAX_MS, Math.ceil(at - monotonicMs())));
  }

  #look(): void {
    const now = monotonicMs() + 1; // a timer may be early by a fraction
    this.#nextAt = NEVER;
    let next = this.#nextAt;
    for (const deadline of [...this.#open]) {
      if (deadline.at > now) next = Math.min(next, deadline.at);
      else if (this.#open.delete(deadline)) deadline.late();
    }
    if (next < this.#nextAt) this.#arm(next);
  }
}
