/** Who decided what about the messages of a batch: the first decision wins and is settled at once, exactly once. */

import type { Batch } from '../model/batch.ts';
import { describeError, isMemphisError, MemphisError } from '../model/errors.ts';
import type { Message, StoredMessage } from '../model/message.ts';
import type { Outcome, Settled } from '../model/outcome.ts';
import { makeMessage } from './message.ts';

/** How many messages ended how, as the broker confirmed it. */
export interface SettledCounts {
  readonly acked: number;
  readonly retried: number;
  readonly deadLettered: number;
  readonly givenBack: number;
}

/** The decisions of one batch. */
export interface Ledger<T> {
  /** The handles for users, index by index those of the batch. */
  readonly messages: readonly Message<T>[];
  /** Messages that nobody has decided about. */
  undecided(): readonly StoredMessage[];
  outcomeAt(index: number): Outcome | undefined;
  /**
   * Takes a decision and starts to settle in the same tick. The same decision again is the same promise.
   * Never an unhandled rejection, awaited or not: {@link Ledger.confirmed} reports what failed.
   *
   * @throws MemphisError `ALREADY_SETTLED` (as a rejection) for another decision
   */
  decide(index: number, outcome: Outcome): Promise<void>;
  /** Starts the time to settle anew for those still undecided. Never rejects. */
  extend(messages: readonly StoredMessage[]): Promise<void>;
  /** Resolves when no extension is under way, in half a second at the latest. */
  quiet(): Promise<void>;
  /** Waits for all settles, then counts. @throws MemphisError `SETTLE_UNCONFIRMED` when one of them failed */
  confirmed(): Promise<SettledCounts>;
}

interface Decision {
  readonly outcome: Outcome;
  readonly settled: Promise<Settled>;
  readonly done: Promise<void>;
}

const EXTEND_WAIT_MS = 500; // An extension hangs when the connection does; the time reserved for settling must not go with it.

const ignore = (): void => {};

/** Opens the decisions of a batch. Does no I/O. */
export function openLedger<T>(batch: Batch): Ledger<T> {
  const decisions: (Decision | undefined)[] = batch.messages.map(() => undefined);
  const extending = new Set<Promise<void>>();

  const quiet = async (): Promise<void> => {
    if (extending.size === 0) return;
    let timer: NodeJS.Timeout | undefined;
    const tooLong = new Promise<void>((resolve) => {
      timer = setTimeout(() => {
        extending.clear(); // nobody waits for these a second time
        resolve();
      }, EXTEND_WAIT_MS);
    });
    await Promise.race([Promise.all(extending), tooLong]);
    clearTimeout(timer);
  };

  // An extension still on its way could arrive after a delay and undo it, so it is awaited first.
  const settle = async (stored: StoredMessage, outcome: Outcome): Promise<Settled> => {
    if (extending.size > 0) await quiet();
    return batch.settle(stored, outcome);
  };

  const decide = (index: number, outcome: Outcome): Promise<void> => {
    const stored = batch.messages[index] as StoredMessage;
    const earlier = decisions[index];
    if (earlier !== undefined) {
      if (isSame(earlier.outcome, outcome)) return earlier.done;
      return quietly(Promise.reject(alreadySettled(stored, earlier.outcome, outcome)));
    }
    const settled = settle(stored, outcome);
    const done = quietly(settled.then(ignore));
    decisions[index] = { outcome, settled, done };
    return done;
  };

  const extend = (messages: readonly StoredMessage[]): Promise<void> => {
    if (messages.length === 0) return Promise.resolve();
    // A lost extension is harmless: the next one repeats it, and at worst the message is delivered again.
    const written = (async () => batch.extend(messages))().catch(ignore);
    extending.add(written);
    return written.finally(() => extending.delete(written));
  };

  const handles = batch.messages.map((stored, index) =>
    makeMessage<T>(stored, {
      decide: (outcome) => decide(index, outcome),
      extend: () => extend(decisions[index] === undefined ? [stored] : []),
      decided: () => decisions[index]?.outcome,
      decoded: () => batch.decode?.(stored),
    }),
  );

  return {
    messages: handles,
    undecided: () => batch.messages.filter((_, index) => decisions[index] === undefined),
    outcomeAt: (index) => decisions[index]?.outcome,
    decide,
    extend,
    quiet,
    confirmed: async () => {
      const taken = decisions.filter((decision) => decision !== undefined);
      return count(batch, await Promise.allSettled(taken.map((decision) => decision.settled)));
    },
  };
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
    `Message ${stored.id} was settled already (${earlier.action}), so ${later.action} has no effect. The first decision wins.`,
    { station: stored.station },
  );
}

function count(batch: Batch, results: readonly PromiseSettledResult<Settled>[]): SettledCounts {
  const counts = { acked: 0, retried: 0, deadLettered: 0, givenBack: 0 };
  const failed: unknown[] = [];
  for (const result of results) {
    if (result.status === 'fulfilled') counts[result.value] += 1;
    else failed.push(result.reason);
  }
  if (failed.length === 0) return counts;
  const [first] = failed;
  const why = isMemphisError(first, 'SETTLE_UNCONFIRMED') ? (first.cause ?? first) : first;
  throw new MemphisError(
    'SETTLE_UNCONFIRMED',
    `Settling ${failed.length} of ${batch.messages.length} messages of station ${batch.station}, group ${batch.group}, ` +
      `was not confirmed (${describeError(why)}). They may be delivered again.`,
    { cause: why, station: batch.station, group: batch.group },
  );
}
