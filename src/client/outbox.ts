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

/** What began between two looks at an outbox. */
interface Stretch {
  open: number;
  /** Called when all of it is over. */
  readonly over: (() => void)[];
}

export class Outbox {
  readonly #busy: Set<Outbox>;
  #stretch: Stretch = { open: 0, over: [] };
  /** Of all stretches. */
  #open = 0;
  /** The end of those before this one. */
  #earlier: Promise<void> | undefined;
  #failures: ProduceFailure[] = [];
  #failed = 0;

  constructor(busy: Set<Outbox>) {
    this.#busy = busy;
  }

  /** Something begins. @returns what `end` wants to be told */
  begin(): Stretch {
    if (this.#open++ === 0) this.#busy.add(this);
    this.#stretch.open++;
    return this.#stretch;
  }

  /** It is over. */
  end(stretch: Stretch): void {
    this.#open--;
    if (--stretch.open === 0 && stretch.over.length > 0) for (const over of stretch.over.splice(0)) over();
    this.#leave();
  }

  /** Something that began; how it ends is somebody else's business. */
  track(work: Promise<unknown>): void {
    const stretch = this.begin();
    const done = (): void => this.end(stretch);
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
    const earlier = this.#earlier;
    const stretch = this.#stretch;
    this.#stretch = { open: 0, over: [] };
    this.#earlier = (async () => {
      await earlier;
      if (stretch.open > 0) await new Promise<void>((resolve) => stretch.over.push(resolve));
    })();
    await this.#earlier;
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
    if (this.#open === 0 && this.#failed === 0) this.#busy.delete(this);
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
