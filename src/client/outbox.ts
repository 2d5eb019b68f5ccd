/** What a producer has under way, and the failures of it that nobody has taken. */

import { MemphisError, type ProduceFailure } from '../model/errors.ts';
import { toMemphisError } from './sending.ts';
import { leavable } from './watched.ts';

/** Failures that are kept with their errors; the others are counted. */
const KEPT = 10;

/** What the producers of one client share. */
export interface Outboxes {
  /** Those with something under way, or with failures that nobody has taken. */
  readonly busy: Set<Outbox>;
  isClosed: boolean;
}

export class Outbox {
  readonly #busy: Set<Outbox>;
  readonly #open = new Set<Promise<unknown>>();
  #failures: ProduceFailure[] = [];
  #failed = 0;

  constructor(busy: Set<Outbox>) {
    this.#busy = busy;
  }

  /** Something that began; how it ends is somebody else's business. */
  track(work: Promise<unknown>): void {
    this.#open.add(work);
    this.#busy.add(this);
    const done = (): void => {
      this.#open.delete(work);
      this.#leave();
    };
    work.then(done, done);
  }

  /** A failure that nobody has taken: `drain` throws it. */
  fail(failure: ProduceFailure): void {
    this.#failed++;
    if (this.#failures.length < KEPT) this.#failures.push(failure);
    this.#busy.add(this);
  }

  /** Keeps the failure that something ends with. Never rejects. */
  async keep(station: string, ended: Promise<unknown>): Promise<void> {
    try {
      await ended;
    } catch (error) {
      this.fail({ station, error: toMemphisError(error, station) });
    }
  }

  /**
   * Tracks what its caller may leave alone: a failure that nobody looks at is told here.
   *
   * @param tell whoever takes failures; one that it throws is kept
   */
  leave<T>(work: Promise<T>, station: string, tell: (error: MemphisError) => Promise<void>): Promise<T> {
    const { promise, missed } = leavable(work);
    const failed = async (error: unknown): Promise<void> => {
      if (await missed) await this.keep(station, tell(toMemphisError(error, station)));
    };
    this.track(work.then(() => {}, failed));
    return promise;
  }

  /** Resolves when all that is under way now is over. Never rejects. */
  async settled(): Promise<void> {
    await Promise.allSettled([...this.#open]);
  }

  /** The failures so far. They are told once. */
  takeFailures(): { readonly count: number; readonly failures: readonly ProduceFailure[] } {
    const taken = { count: this.#failed, failures: this.#failures };
    this.#failed = 0;
    this.#failures = [];
    this.#leave();
    return taken;
  }

  #leave(): void {
    if (this.#open.size === 0 && this.#failed === 0) this.#busy.delete(this);
  }
}

/**
 * Waits for what is under way in some outboxes. Each message ends within its `ackWaitMs`.
 *
 * @throws MemphisError `NOT_ALL_STORED` with the failures that nobody has taken
 */
export async function drain(outboxes: readonly Outbox[]): Promise<void> {
  await Promise.all(outboxes.map((outbox) => outbox.settled()));
  const taken = outboxes.map((outbox) => outbox.takeFailures());
  const count = taken.reduce((sum, each) => sum + each.count, 0);
  if (count === 0) return;
  const failures = taken.flatMap((each) => each.failures).slice(0, KEPT);
  const [first] = failures;
  throw new MemphisError(
    'NOT_ALL_STORED',
    `${count} of the messages that were produced without waiting are not stored, or not known to be; the first: ` +
      `${first?.error.message ?? ''}`,
    {
      failures,
      retryable: failures.every(({ error }) => error.retryable),
      ...(first === undefined ? {} : { cause: first.error, station: first.station }),
    },
  );
}
