/** Who waits for which answer: a number in the subject of each, and one time limit for all of them. */

import { MemphisError } from '../../model/errors.ts';
import { monotonicMs } from '../monotonic.ts';
import type { Asking, Frame } from '../port.ts';
import type { Deadlines } from './deadlines.ts';

/** One request under way. */
interface Waiting<T> {
  readonly subject: string;
  readonly asking: Asking<T>;
  /** By the monotonic clock. */
  readonly at: number;
  readonly resolve: (value: T | Promise<T>) => void;
  readonly reject: (error: unknown) => void;
}

export class Replies {
  readonly #limits: Deadlines;
  readonly #wake: () => void;
  readonly #waiting = new Map<number, Waiting<never>>();
  /** The limit that comes first, or came first when it was set. */
  readonly #limit = { at: Number.POSITIVE_INFINITY, late: (): void => this.#sweep() };
  #last = 0;

  /** @param wake sees to it that `rest` is called at the end of this tick */
  constructor(limits: Deadlines, wake: () => void) {
    this.#limits = limits;
    this.#wake = wake;
  }

  /** The number of one more request. */
  next(): number {
    return ++this.#last;
  }

  /** Waits for the answer to a request. @throws MemphisError `TIMEOUT` */
  wait<T>(number: number, subject: string, asking: Asking<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const at = monotonicMs() + asking.timeoutMs;
      this.#waiting.set(number, { subject, asking, at, resolve, reject } as Waiting<never>);
      if (at < this.#limit.at) this.#setLimit(at);
    });
  }

  /** An answer came. Without a wait it came after its time limit. */
  take(number: number, frame: Frame): void {
    const waiting = this.#waiting.get(number);
    if (waiting === undefined) return;
    this.#forget(number);
    try {
      waiting.resolve(waiting.asking.read(frame));
    } catch (error) {
      waiting.reject(error);
    }
  }

  /** What is waited for now, for `fail`. */
  get open(): readonly number[] {
    return [...this.#waiting.keys()];
  }

  /** Ends waits with an error: those of some numbers, or of one subject; left out: all. */
  fail(error: Error, of: { readonly numbers?: readonly number[]; readonly subject?: string } = {}): void {
    for (const number of of.numbers ?? this.open) {
      const waiting = this.#waiting.get(number);
      if (waiting === undefined || (of.subject !== undefined && of.subject !== waiting.subject)) continue;
      this.#forget(number);
      waiting.reject(error);
    }
  }

  #forget(number: number): void {
    this.#waiting.delete(number);
    if (this.#waiting.size === 0) this.#wake();
  }

  /** Ends the time limit where nothing is waited for. Not at once: mostly the next request leaves in the same tick. */
  rest(): void {
    if (this.#waiting.size === 0) this.#setLimit(Number.POSITIVE_INFINITY);
  }

  #setLimit(at: number): void {
    this.#limits.delete(this.#limit);
    this.#limit.at = at;
    if (at !== Number.POSITIVE_INFINITY) this.#limits.add(this.#limit);
  }

  #sweep(): void {
    const now = monotonicMs() + 1; // as `Deadlines`
    let next = Number.POSITIVE_INFINITY;
    for (const [number, { at, subject, asking, reject }] of this.#waiting) {
      if (at > now) {
        next = Math.min(next, at);
        continue;
      }
      this.#waiting.delete(number);
      reject(
        new MemphisError(
          'TIMEOUT',
          `No answer on ${subject} within ${asking.timeoutMs} ms. The broker may have acted.`,
        ),
      );
    }
    this.#setLimit(next);
  }
}
