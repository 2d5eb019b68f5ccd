/** Who decided what about the messages of a batch: the first decision wins and is settled at once, exactly once. */

import type { Batch } from '../model/batch.ts';
import { describeError, isMemphisError, MemphisError } from '../model/errors.ts';
import type { Message, StoredMessage } from '../model/message.ts';
import type { Outcome, Settled } from '../model/outcome.ts';
import { type MessageActions, makeMessages } from './message.ts';

/** How many messages ended how, as the broker confirmed it. */
export interface SettledCounts {
  readonly acked: number;
  readonly retried: number;
  readonly deadLettered: number;
  readonly givenBack: number;
}

const EXTEND_WAIT_MS = 500; // An extension hangs when the connection does; the time reserved for settling must not go with it.

function ignore(): void {}
const giveBack: Outcome = { action: 'giveBack' };

/** The decisions of one batch. Making one does no I/O. */
export class Ledger<T> implements MessageActions {
  /** The handles for users, index by index those of the batch; a handler may sort the list, or take messages off it. */
  readonly messages: Message<T>[];
  readonly #batch: Batch;
  #outcomes: (Outcome | undefined)[] = [];
  /** What users hold: a promise for each message is worth having only then. */
  readonly #done: Promise<void>[] = [];
  readonly #extending = new Set<Promise<void>>();
  readonly #counts = { acked: 0, retried: 0, deadLettered: 0, givenBack: 0 };
  readonly #failed: unknown[] = [];
  /** Decisions that are not confirmed yet. */
  #open = 0;
  // What is told of one that was settled, and of one that was not; for all messages. In an array: a function that is assigned to a field
  // gives each ledger a hidden class of its own, which holds on to it until the next full collection (docs/decisions/023).
  readonly #told = [
    (settled: Settled): void => {
      this.#counts[settled]++;
      if (--this.#open === 0) this.#onNoneOpen();
    },
    (error: unknown): void => {
      this.#failed.push(error);
      if (--this.#open === 0) this.#onNoneOpen();
    },
  ] as const;
  /** Whoever waits until none is open. */
  readonly #waiting: (() => void)[] = [];
  /** That of its handler's run. */
  deadline: { readonly signal: AbortSignal } | undefined;

  constructor(batch: Batch) {
    this.#batch = batch;
    this.messages = makeMessages<T>(batch.messages, this);
  }

  /** Messages that nobody has decided about. */
  undecided(): readonly StoredMessage[] {
    return this.#batch.messages.filter((_, index) => this.#outcomes[index] === undefined);
  }

  /** Whether an extension is under way. */
  get isExtending(): boolean {
    return this.#extending.size > 0;
  }

  outcomeAt(index: number): Outcome | undefined {
    return this.#outcomes[index];
  }

  decodedAt(index: number): { readonly value: unknown } | undefined {
    return this.#batch.decode?.(this.#batch.messages[index] as StoredMessage);
  }

  /**
   * Takes a decision and starts to settle in the same tick. The same decision again is the same promise.
   * Never an unhandled rejection, awaited or not: {@link Ledger.confirmed} reports what failed.
   *
   * @throws MemphisError `ALREADY_SETTLED` (as a rejection) for another decision
   */
  decide(index: number, outcome: Outcome): Promise<void> {
    const earlier = this.#outcomes[index];
    if (earlier !== undefined && !isSame(earlier, outcome)) {
      const stored = this.#batch.messages[index] as StoredMessage;
      return quietly(Promise.reject(alreadySettled(stored, earlier, outcome)));
    }
    if (earlier === undefined) this.#done[index] = quietly(this.#settle(index, outcome).then(ignore));
    // late: what was decided with the rest is known when all of it is
    this.#done[index] ??= quietly(this.confirmed().then(ignore));
    return this.#done[index];
  }

  /**
   * Decides about all that is undecided. What is decided in one tick travels together.
   *
   * @param outcomes index by index; what has none is given back
   */
  decideRest(outcomes: readonly Outcome[]): void {
    const { messages, settleAll } = this.#batch;
    const earlier = this.#outcomes;
    const isOpen = (_: unknown, index: number): boolean => earlier[index] === undefined;
    // mostly nobody has decided about any
    const isWhole = earlier.length === 0 && outcomes.length === messages.length;
    const all = isWhole ? outcomes.slice() : messages.map((_, index) => earlier[index] ?? outcomes[index] ?? giveBack);
    if (settleAll === undefined || this.isExtending) {
      all.forEach((outcome, index) => {
        if (isOpen(outcome, index)) void this.#settle(index, outcome);
      });
      return;
    }
    this.#outcomes = all;
    const rest = isWhole ? messages : messages.filter(isOpen);
    this.#open += rest.length;
    settleAll(rest, isWhole ? outcomes : all.filter(isOpen), ...this.#told);
  }

  #settle(index: number, outcome: Outcome): Promise<Settled> {
    this.#outcomes[index] = outcome;
    this.#open++;
    const settling = this.#begin(this.#batch.messages[index] as StoredMessage, outcome);
    settling.then(...this.#told);
    return settling;
  }

  async #begin(stored: StoredMessage, outcome: Outcome): Promise<Settled> {
    // An extension still on its way could arrive after a delay and undo it, so it is awaited first.
    if (this.isExtending) await this.quiet();
    return await this.#batch.settle(stored, outcome);
  }

  #onNoneOpen(): void {
    for (const tell of this.#waiting.splice(0)) tell();
  }

  extendAt(index: number): Promise<void> {
    return this.extend(this.#outcomes[index] === undefined ? [this.#batch.messages[index] as StoredMessage] : []);
  }

  /** Starts the time to settle anew for messages that are undecided. Never rejects. */
  extend(messages: readonly StoredMessage[]): Promise<void> {
    if (messages.length === 0) return Promise.resolve();
    // A lost extension is harmless: the next one repeats it, and at worst the message is delivered again.
    const written = (async () => this.#batch.extend(messages))().catch(ignore);
    this.#extending.add(written);
    return written.finally(() => this.#extending.delete(written));
  }

  /** Resolves when no extension is under way, in half a second at the latest. */
  async quiet(): Promise<void> {
    if (!this.isExtending) return;
    let timer: NodeJS.Timeout | undefined;
    const tooLong = new Promise<void>((resolve) => {
      timer = setTimeout(() => {
        this.#extending.clear(); // nobody waits for these a second time
        resolve();
      }, EXTEND_WAIT_MS);
    });
    await Promise.race([Promise.all(this.#extending), tooLong]);
    clearTimeout(timer);
  }

  /** Waits for all settles, then counts. @throws MemphisError `SETTLE_UNCONFIRMED` when one of them failed */
  confirmed(): Promise<SettledCounts> {
    return new Promise((resolve, reject) => {
      const tell = (): void =>
        this.#failed.length > 0 ? reject(unconfirmed(this.#batch, this.#failed)) : resolve(this.#counts);
      if (this.#open === 0) tell();
      else this.#waiting.push(tell);
    });
  }
}

/** Marks a promise as looked after: without a listener its rejection would end the process. */
function quietly<V>(promise: Promise<V>): Promise<V> {
  promise.catch(ignore);
  return promise;
}

function isSame(a: Outcome, b: Outcome): boolean {
  if (a.action === 'retry' && b.action === 'retry') return a.delayMs === b.delayMs;
  if (a.action === 'deadLetter' && b.action === 'deadLetter') return a.reason === b.reason;
  return a.action === b.action;
}

function alreadySettled(stored: StoredMessage, earlier: Outcome, later: Outcome): MemphisError {
  return new MemphisError(
    'ALREADY_SETTLED',
    `Message ${stored.id} was settled already (${earlier.action}), so ${later.action} has no effect: the first decision wins, a handler's return included.`,
    { station: stored.station },
  );
}

function unconfirmed({ messages, station, group }: Batch, failed: readonly unknown[]): MemphisError {
  const [first] = failed;
  const why = isMemphisError(first, 'SETTLE_UNCONFIRMED') ? (first.cause ?? first) : first;
  return new MemphisError(
    'SETTLE_UNCONFIRMED',
    `Settling ${failed.length} of ${messages.length} messages of station ${station}, group ${group}, ` +
      `was not confirmed (${describeError(why)}). They may be delivered again.`,
    { cause: why, station, group },
  );
}
