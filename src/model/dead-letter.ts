/** Dead letters: what a station has of them, and the port through which they are read, dropped and put back. */

import { MemphisError } from './errors.ts';
import type { Headers } from './message.ts';

/** In the place of a group: what a producer was refused because it breaks the schema. `$` cannot occur in a name. */
export const REFUSED = '$refused';

/** One dead letter: plain data. */
export interface DeadLetterRecord {
  /** Its place among the dead letters of the station: ascending, never used twice. */
  readonly id: number;
  readonly station: string;
  /** The group that it is a dead letter of; `$refused`: it broke the schema, and was never stored. */
  readonly group: string;
  /** `id` of the message, as handlers saw it. */
  readonly messageId: string;
  /** 0 where the station has no partitions. */
  readonly partition: number;
  /** Of the message in its partition. */
  readonly sequence: number;
  /** How often handlers saw the message. */
  readonly deliveryCount: number;
  /** When the message was stored. */
  readonly timestamp: Date;
  /** When it was set aside. */
  readonly setAsideAt: Date;
  readonly reason: string;
  /** Of the message, without those that broker and toolkit reserve for themselves. */
  readonly headers: Headers;
  /** The key that chose the partition, where the producer gave one. */
  readonly partitionKey?: string;
  readonly data: Uint8Array;
}

/** Which dead letters: these, or all of one group, or all. */
export type DeadLetterChoice = { readonly ids: readonly number[] } | { readonly group?: string };

/** Where a dead letter is put back: for the group that it came from, or into the station, for all groups. */
export type RedriveTarget = 'group' | 'station';

/**
 * What became of one: `redriven` - put back, confirmed, and no dead letter any more; `duplicate` - the broker has a copy
 * already and took no other, the dead letter stays; `missing` - there is none of that id; `failed` - see the error, the
 * dead letter stays.
 */
export type RedriveOutcome = 'redriven' | 'duplicate' | 'missing' | 'failed';

/** What became of one dead letter. */
export interface RedriveResult {
  readonly id: number;
  readonly outcome: RedriveOutcome;
  /** Why it failed. */
  readonly error?: unknown;
}

/** Told after each step of long work. What it throws ends the work. */
export type OnProgress = (done: number, total: number) => unknown;

/** The dead letters of one station. Making one does no I/O. */
export interface DeadLetterStore {
  /** Oldest first, those behind an id. @throws MemphisError `STATION_NOT_FOUND` */
  list(query: {
    readonly group?: string;
    readonly after: number;
    readonly limit: number;
  }): Promise<readonly DeadLetterRecord[]>;
  /** @throws MemphisError `DEAD_LETTER_NOT_FOUND` */
  get(id: number): Promise<DeadLetterRecord>;
  count(group?: string): Promise<number>;
  /** Deletes them. @returns how many went */
  drop(which: DeadLetterChoice, onProgress: OnProgress): Promise<number>;
  /**
   * Puts them back, each confirmed before it is deleted. Ends early where the broker takes no more: of those that
   * were chosen by id the others have `failed` then, of all others nothing is said.
   */
  redrive(which: DeadLetterChoice, target: RedriveTarget, onProgress: OnProgress): Promise<readonly RedriveResult[]>;
}

export function noSuchDeadLetter(station: string, id: number): MemphisError {
  const words = `Station ${station} has no dead letter ${id}: it was dropped or put back, or it never was.`;
  return new MemphisError('DEAD_LETTER_NOT_FOUND', words, { station });
}
