/** Who waits for which answer: a number in the subject of each, and one time limit for all of them. */

import { MemphisError } from '../../model/errors.ts';
import { monotonicMs } from '../monotonic.ts';
import type { Asking, Frame } from '../port.ts';
import { type Deadlines, NEVER } from './deadlines.ts';

/** One request under way. */
interface Waiting<T> {
  readonly subject: string;
  readonly asking: Asking<T>;
  /** By the monotonic clock. */
  readonly at: number;
  readonly resolve: (value: T | Promise<T>) => void;
  readonly reject: (error: unknown) => void;
  /** What was refused while it waited, which may have been this. */
  unnamed?: Error;
}

/** By then all that is allowed has been answered, mostly. */
const UNNAMED_AFTER_MS = 300;
/** At each so many ends, those that have ended are taken away in front of the first that has not. */
const LOOK_EACH = 1_024;

export class Replies {
  readonly #limits: Deadlines;
  readonly #wake: () => void;
  /** By number, from {@link #first} on. No map: as one grows and shrinks, what it held would outlive it (decision 023). */
  readonly #waiting: (Waiting<never> | undefined)[] = [];
  #first = 1;
  #open = 0;
  /** The limit that comes first, or came first when it was set. */
  readonly #limit = { at: NEVER, late: (now: number): void => this.#sweep(now) };
  #last = 0;
  /** How many refusals did not say of what. */
  #unnamed = 0;

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
      this.#waiting[number - this.#first] = { subject, asking, at, resolve, reject } as Waiting<never>;
      this.#open++;
      if (at < this.#limit.at) this.#setLimit(at);
    });
  }

  /** An answer came. Without a wait it came after its time limit. */
  take(number: number, frame: Frame): void {
    const waiting = this.#takeOut(number);
    if (waiting === undefined) return;
    try {
      const { asking } = waiting;
      // without it the frame is what was asked for
      waiting.resolve('read' in asking ? asking.read(frame) : (frame as never));
    } catch (error) {
      waiting.reject(error);
    }
  }

  /** What is waited for now, for `fail`. */
  get open(): readonly number[] {
    const numbers: number[] = [];
    this.#waiting.forEach((waiting, index) => {
      if (waiting !== undefined) numbers.push(this.#first + index);
    });
    return numbers;
  }

  /** Ends waits with an error. @param isMeant left out: all */
  fail(error: Error, isMeant: (one: Pick<Waiting<never>, 'subject' | 'unnamed'>) => unknown = () => true): void {
    for (const number of this.open) {
      if (isMeant(this.#waiting[number - this.#first] as Waiting<never>)) this.#takeOut(number)?.reject(error);
    }
  }

  /**
   * One of what is open was refused, and a Memphis broker does not say which (memphis-wire 1.6). It is one of those that
   * stay without an answer: told when no more of them are left than were refused, or when its time is over.
   */
  failOne(error: Error): void {
    if (this.#open === 0) return; // it was nothing that has an answer
    for (const waiting of this.#waiting) if (waiting) waiting.unnamed = error;
    if (this.#unnamed++ === 0) this.#judge(error);
  }

  #judge(error: Error): void {
    this.#limits.start(UNNAMED_AFTER_MS, () => {
      if (this.#waiting.filter((one) => one?.unnamed).length > this.#unnamed) return this.#judge(error);
      this.#unnamed = 0;
      this.fail(error, ({ unnamed }) => unnamed);
    });
  }

  /** What is said of one that had no answer in its time. */
  #silenceOf({ subject, asking, unnamed }: Waiting<never>): Error {
    if (unnamed && this.#unnamed > 0) {
      this.#unnamed--;
      return unnamed;
    }
    const words = `No answer on ${subject} within ${asking.timeoutMs} ms. The broker may have acted.`;
    return new MemphisError('TIMEOUT', words);
  }

  #takeOut(number: number): Waiting<never> | undefined {
    const index = number - this.#first;
    const waiting = this.#waiting[index];
    if (waiting === undefined) return undefined;
    this.#waiting[index] = undefined;
    if (--this.#open === 0) {
      this.#drop(this.#waiting.length);
      this.#wake();
    } else if (index > 0 && index % LOOK_EACH === 0) {
      // answers come in the order of their questions, nearly: those in front of this one have mostly ended
      const left = this.#waiting.findIndex((one) => one !== undefined);
      if (left > 0) this.#drop(left);
    }
    return waiting;
  }

  #drop(count: number): void {
    this.#waiting.splice(0, count);
    this.#first += count;
  }

  /** Ends the time limit where nothing is waited for. Not at once: mostly the next request leaves in the same tick. */
  rest(): void {
    if (this.#open === 0) this.#setLimit(NEVER);
  }

  #setLimit(at: number): void {
    this.#limits.delete(this.#limit);
    this.#limit.at = at;
    if (at !== NEVER) this.#limits.add(this.#limit);
  }

  #sweep(now: number): void {
    let next = NEVER;
    for (const number of this.open) {
      const waiting = this.#waiting[number - this.#first] as Waiting<never>;
      if (waiting.at > now) next = Math.min(next, waiting.at);
      else this.#takeOut(number)?.reject(this.#silenceOf(waiting));
    }
    this.#setLimit(next);
  }
}
