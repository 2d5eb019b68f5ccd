/** Dead letters held in memory: those of all stations of a broker, and the port onto those of one. */

import {
  type DeadLetterChoice,
  type DeadLetterRecord,
  type DeadLetterStore,
  noSuchDeadLetter,
  type OnProgress,
  type RedriveResult,
  type RedriveTarget,
} from '../model/dead-letter.ts';
import type { StoredMessage } from '../model/message.ts';
import type { Clock } from './fake-clock.ts';
import type { MemoryStation } from './memory-station.ts';

/** A message that was set aside. */
export interface MemoryDeadLetter {
  /** Ascending over all stations. */
  readonly id: number;
  readonly station: string;
  readonly group: string;
  readonly message: StoredMessage;
  readonly reason: string;
  readonly setAsideAt: Date;
}

/** What the dead letters of one station need of their broker. */
export interface MemoryDeadLetterContext {
  readonly clock: Clock;
  /** Those of all stations, in order. */
  readonly letters: MemoryDeadLetter[];
  /** @throws MemphisError `STATION_NOT_FOUND` */
  find(station: string): MemoryStation;
  /** Wakes those who wait for messages. */
  notify(): void;
}

function toRecord({ id, station, group, message, reason, setAsideAt }: MemoryDeadLetter): DeadLetterRecord {
  const { id: messageId, ...rest } = message;
  return { ...rest, id, station, group, messageId, reason, setAsideAt };
}

/** The dead letters of one station. */
export class MemoryDeadLetters implements DeadLetterStore {
  readonly #context: MemoryDeadLetterContext;
  readonly #station: string;

  constructor(context: MemoryDeadLetterContext, station: string) {
    this.#context = context;
    this.#station = station;
  }

  async list(query: { readonly group?: string; readonly after: number; readonly limit: number }) {
    const { after, limit } = query;
    return this.#choose(query)
      .filter(({ id }) => id > after)
      .slice(0, limit)
      .map(toRecord);
  }

  async get(id: number): Promise<DeadLetterRecord> {
    const [found] = this.#choose({ ids: [id] });
    if (found !== undefined) return toRecord(found);
    throw noSuchDeadLetter(this.#station, id);
  }

  async count(group?: string): Promise<number> {
    return this.#choose(group === undefined ? {} : { group }).length;
  }

  async drop(which: DeadLetterChoice, onProgress: OnProgress): Promise<number> {
    const chosen = this.#choose(which);
    for (const letter of chosen) this.#remove(letter);
    const total = 'ids' in which ? which.ids.length : chosen.length;
    if (total > 0) await onProgress(total, total);
    return chosen.length;
  }

  async redrive(
    which: DeadLetterChoice,
    target: RedriveTarget,
    onProgress: OnProgress,
  ): Promise<readonly RedriveResult[]> {
    const chosen = this.#choose(which);
    const ids = 'ids' in which ? which.ids : chosen.map(({ id }) => id);
    const results = ids.map((id): RedriveResult => {
      const letter = chosen.find((one) => one.id === id);
      if (letter === undefined) return { id, outcome: 'missing' };
      this.#putBack(letter, target);
      return { id, outcome: 'redriven' };
    });
    this.#context.notify();
    if (ids.length > 0) await onProgress(ids.length, ids.length);
    return results;
  }

  #putBack(letter: MemoryDeadLetter, target: RedriveTarget): void {
    const { find, clock } = this.#context;
    const { partition, sequence } = letter.message;
    const station = find(this.#station);
    if (target === 'group') station.position(letter.group, partition).putBack(sequence, clock.now());
    else station.store({ ...letter.message, producerName: '' }, clock.now());
    this.#remove(letter);
  }

  #remove(letter: MemoryDeadLetter): void {
    const { letters } = this.#context;
    letters.splice(letters.indexOf(letter), 1);
  }

  #choose(which: DeadLetterChoice): readonly MemoryDeadLetter[] {
    const { letters, find } = this.#context;
    find(this.#station);
    return letters.filter(
      ({ id, station, group }) =>
        station === this.#station &&
        ('ids' in which ? which.ids.includes(id) : which.group === undefined || which.group === group),
    );
  }
}
