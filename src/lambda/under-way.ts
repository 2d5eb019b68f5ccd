/**
 * What an invocation has under way: it must be over before the function returns, since a freeze would hold it for
 * minutes; and a failure that nobody awaited must be seen without reaching the process as an unhandled rejection.
 */

import { Watched } from '../client/watched.ts';
import { LONGEST_TIMER_MS, NO_LIMIT } from '../model/deadline.ts';
import { nextTurn } from '../model/next-turn.ts';

/** Something under way; where it has a limit, it is given up then, whatever holds it. */
export class Task<T> extends Watched<T> {
  /** Wall-clock time. */
  endMs = NO_LIMIT;
  /** What it fails with then. */
  late: (() => Error) | undefined;
}

/** What all tasks have, whatever they come to. */
type AnyTask = Pick<Task<never>, 'endMs' | 'late' | 'fail'>;

export class UnderWay {
  readonly #open = new Set<AnyTask>();
  readonly #failed: { readonly promise: Watched<unknown>; readonly error: unknown }[] = [];
  readonly #refuse: () => Error;
  readonly #onLate: (error: unknown) => void;
  readonly #told: (error: unknown) => void;
  /** Called when nothing is open any more. */
  readonly #onIdle: (() => void)[] = [];
  /** One for all limits. It is set for the first of them and lasts until the end: setting one costs as much as sending. */
  #timer: NodeJS.Timeout | undefined;
  #nextMs = NO_LIMIT;
  #isOver = false;

  /**
   * @param refuse the error of what is started after the end
   * @param onLate told of failures after the end that nobody looked at
   * @param onFailure told of all failures
   */
  constructor(refuse: () => Error, onLate: (error: unknown) => void, onFailure: (error: unknown) => void = () => {}) {
    this.#refuse = refuse;
    this.#onLate = onLate;
    this.#told = onFailure;
  }

  /**
   * Starts something. Rejects when the invocation is over.
   *
   * @param start given what `limit` wants; what it throws is a failure too, and what it returns may reject unheard once it is
   * given up
   */
  run<T>(start: (task: Task<T>) => Promise<T>): Promise<T> {
    const task = new Task<T>(this.#onFailure);
    if (this.#isOver) {
      task.fail(this.#refuse());
      return task;
    }
    this.#open.add(task);
    try {
      start(task).then(
        (value) => this.#end(task) && task.fulfil(value),
        (error: unknown) => this.#end(task) && task.fail(error),
      );
    } catch (error) {
      this.#end(task);
      task.fail(error);
    }
    return task;
  }

  /** Gives something up after a time. @param late what it fails with then */
  limit<T>(task: Task<T>, ms: number, late: () => Error): void {
    task.endMs = Date.now() + ms;
    task.late = late;
    if (task.endMs < this.#nextMs) this.#setTimer(task.endMs);
  }

  /**
   * Waits for everything started, also for what is started meanwhile. Never rejects.
   *
   * @returns the failures that nobody looked at; each is told once
   */
  async settled(): Promise<unknown[]> {
    while (this.#open.size > 0) {
      await new Promise<void>((resolve) => this.#onIdle.push(resolve));
      await nextTurn(); // callbacks of what has just ended may start more
    }
    if (this.#failed.length > 0) await nextTurn();
    const unseen = this.#failed.splice(0).filter(({ promise }) => !promise.isSeen);
    return unseen.map(({ error }) => error);
  }

  /** As `settled`; what is started from then on is refused. */
  async end(): Promise<unknown[]> {
    const unseen = await this.settled();
    this.#isOver = true;
    this.#setTimer(NO_LIMIT);
    return unseen;
  }

  /** @returns whether it was open */
  #end(task: AnyTask): boolean {
    if (!this.#open.delete(task)) return false;
    if (this.#open.size === 0 && this.#onIdle.length > 0) for (const resolve of this.#onIdle.splice(0)) resolve();
    return true;
  }

  #setTimer(atMs: number): void {
    clearTimeout(this.#timer);
    this.#nextMs = atMs;
    if (atMs === NO_LIMIT) return;
    this.#timer = setTimeout(() => this.#giveUp(), Math.max(0, Math.min(atMs - Date.now(), LONGEST_TIMER_MS)));
  }

  #giveUp(): void {
    const now = Date.now() + 1; // a timer may be early by a fraction
    let nextMs = NO_LIMIT;
    for (const task of this.#open) {
      if (task.endMs > now) nextMs = Math.min(nextMs, task.endMs);
      else if (this.#end(task)) task.fail(task.late?.());
    }
    this.#setTimer(nextMs);
  }

  readonly #onFailure = (promise: Watched<unknown>, error: unknown): void => {
    this.#told(error);
    if (!this.#isOver) this.#failed.push({ promise, error });
    else setImmediate(() => promise.isSeen || this.#onLate(error));
  };
}
