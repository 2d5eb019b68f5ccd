/** The dead letters of one station: listed, read, dropped, put back. */

import {
  type DeadLetterRecord,
  type DeadLetterStore,
  type OnProgress,
  REFUSED,
  type RedriveResult,
} from '../model/dead-letter.ts';
import { MemphisError } from '../model/errors.ts';
import { isList, readFields } from '../model/fields.ts';
import { parseJson } from '../model/message.ts';
import type { Given } from '../model/option-spec.ts';
import { deadLetterOptions } from '../model/options/dead-letters.ts';
import { resolveOptions } from '../model/resolve-options.ts';
import { checkToken } from '../model/source.ts';
import { checkName } from '../model/station.ts';

/** One dead letter: plain data, and its payload as text or JSON. */
export interface StoredDeadLetter extends DeadLetterRecord {
  /** The payload as UTF-8 text. */
  text(): string;
  /** The payload parsed as JSON. @throws SyntaxError, which quotes nothing of it */
  json<T = unknown>(): T;
}

const { group, limit, after, to, onProgress } = deadLetterOptions;
const listOptions = { group, limit, after } as const;
const countOptions = { group } as const;
const dropOptions = { onProgress } as const;
const dropAllOptions = { group, onProgress } as const;
const redriveOptions = { to, onProgress } as const;
const redriveAllOptions = { group, to, onProgress } as const;

/** Picked from the whole table, whose declaration keeps each option's words. */
type AllOptions = Given<typeof deadLetterOptions>;
/** Options of `list`. */
export type DeadLetterListOptions = Pick<AllOptions, keyof typeof listOptions>;
/** Options of `count`. */
export type DeadLetterCountOptions = Pick<AllOptions, keyof typeof countOptions>;
/** Options of `drop`. */
export type DropOptions = Pick<AllOptions, keyof typeof dropOptions>;
/** Options of `dropAll`. */
export type DropAllOptions = Pick<AllOptions, keyof typeof dropAllOptions>;
/** Options of `redrive`. */
export type RedriveOptions = Pick<AllOptions, keyof typeof redriveOptions>;
/** Options of `redriveAll`. */
export type RedriveAllOptions = Pick<AllOptions, keyof typeof redriveAllOptions>;

/** Whose dead letters: a station's, or those of a stream that others have made. */
export interface DeadLetterSource {
  /** The station's name, checked; of a binding the stream's. */
  readonly name: string;
  readonly isBound: boolean;
}

/** @throws MemphisError `INVALID_NAME`, `INVALID_OPTION` */
export function toDeadLetterSource(source: string | { readonly stream: string }): DeadLetterSource {
  if (typeof source === 'string') return { name: checkName('station', source), isBound: false };
  const { stream } = typeof source === 'object' && source !== null ? readFields('deadLetters', source) : {};
  if (typeof stream === 'string') return { name: checkToken('stream', stream), isBound: true };
  throw new MemphisError('INVALID_OPTION', "deadLetters: give a station's name, or { stream }.", { option: 'station' });
}

const decoder = new TextDecoder();

function withReaders(record: DeadLetterRecord): StoredDeadLetter {
  const read = (): string => decoder.decode(record.data);
  return { ...record, text: read, json: <T>() => parseJson(read(), `Dead letter ${record.id}`) as T };
}

/**
 * The dead letters of a station. Making one does no I/O.
 *
 * @example
 * ```ts
 * const letters = memphis.station('orders').deadLetters();
 * for (const letter of await letters.list({ group: 'billing' })) console.log(letter.id, letter.reason, letter.json());
 * await letters.redriveAll({ group: 'billing' });
 * ```
 */
export class DeadLetters {
  readonly station: string;
  readonly #source: DeadLetterSource;
  readonly #open: () => Promise<DeadLetterStore>;

  /** @internal Use `station.deadLetters()`. */
  constructor(source: DeadLetterSource, open: () => Promise<DeadLetterStore>) {
    this.station = source.name;
    this.#source = source;
    this.#open = open;
  }

  /**
   * One page, oldest first; the next one begins behind the last `id` of this one.
   *
   * @throws MemphisError `STATION_NOT_FOUND`, `INVALID_OPTION`, `PERMISSION_DENIED`
   * @example
   * ```ts
   * for (let after = 0; ; ) {
   *   const page = await letters.list({ after });
   *   for (const letter of page) console.log(letter.id, letter.reason);
   *   after = page.at(-1)?.id ?? after;
   *   if (page.length === 0) break;
   * }
   * ```
   */
  async list(options?: DeadLetterListOptions): Promise<StoredDeadLetter[]> {
    const given = resolveOptions('deadLetters.list', listOptions, options);
    const store = await this.#open();
    const page = await store.list({ ...this.#groupOf(given.group), after: given.after, limit: given.limit });
    return page.map(withReaders);
  }

  /** One, by its `id`. @throws MemphisError `DEAD_LETTER_NOT_FOUND`, `STATION_NOT_FOUND`, `INVALID_OPTION` */
  async get(id: number): Promise<StoredDeadLetter> {
    const [checked] = toIds('deadLetters.get', [id]);
    return withReaders(await (await this.#open()).get(checked as number));
  }

  /** How many there are. @throws MemphisError `STATION_NOT_FOUND` */
  async count(options?: DeadLetterCountOptions): Promise<number> {
    const given = resolveOptions('deadLetters.count', countOptions, options);
    return await (await this.#open()).count(this.#groupOf(given.group).group);
  }

  /**
   * Deletes those of these ids. There is no way back.
   *
   * @returns how many went; what was not there is not counted
   * @throws MemphisError `STATION_NOT_FOUND`, `INVALID_OPTION`, `PERMISSION_DENIED`; what was dropped by then is gone
   */
  async drop(ids: readonly number[], options?: DropOptions): Promise<number> {
    const given = resolveOptions('deadLetters.drop', dropOptions, options);
    const checked = toIds('deadLetters.drop', ids);
    return await (await this.#open()).drop({ ids: checked }, toProgress(given.onProgress));
  }

  /** Deletes all that are there now, or all of a group. @returns how many went */
  async dropAll(options?: DropAllOptions): Promise<number> {
    const given = resolveOptions('deadLetters.dropAll', dropAllOptions, options);
    return await (await this.#open()).drop(this.#groupOf(given.group), toProgress(given.onProgress));
  }

  /**
   * Puts back those of these ids: for the group that each came from, under its old `id`, or with `to: 'station'` into its
   * partition, for all groups, as a new message. One is deleted here when the broker has confirmed that it is stored there.
   *
   * @returns what became of each. After a failure that the next ones would meet as well the rest is not tried
   * @throws MemphisError `STATION_NOT_FOUND`, `INVALID_OPTION`, `UNSUPPORTED` (into a stream of others)
   */
  async redrive(ids: readonly number[], options?: RedriveOptions): Promise<readonly RedriveResult[]> {
    const given = resolveOptions('deadLetters.redrive', redriveOptions, options);
    const checked = toIds('deadLetters.redrive', ids);
    this.#checkTarget(given.to);
    return await (await this.#open()).redrive({ ids: checked }, given.to, toProgress(given.onProgress));
  }

  /**
   * Puts back all that are there now, or all of a group, oldest first; see `redrive`.
   *
   * @returns what became of each that was tried. After a failure that the next ones would meet as well it ends
   */
  async redriveAll(options?: RedriveAllOptions): Promise<readonly RedriveResult[]> {
    const given = resolveOptions('deadLetters.redriveAll', redriveAllOptions, options);
    this.#checkTarget(given.to);
    const store = await this.#open();
    return await store.redrive(this.#groupOf(given.group), given.to, toProgress(given.onProgress));
  }

  /** Groups of a binding are named as their owners like. */
  #groupOf(name: string | undefined): { readonly group?: string } {
    if (name === undefined) return {};
    return { group: this.#source.isBound || name === REFUSED ? name : checkName('group', name) };
  }

  #checkTarget(target: 'group' | 'station'): void {
    if (target === 'group' || !this.#source.isBound) return;
    throw new MemphisError(
      'UNSUPPORTED',
      `Stream ${this.station} was made by others, and its dead letters do not say on which subject they came. Put them back for their group.`,
      { option: 'to' },
    );
  }
}

function toProgress(onProgress: OnProgress | undefined): OnProgress {
  return onProgress ?? (() => {});
}

/** @throws MemphisError `INVALID_OPTION` */
function toIds(where: string, ids: unknown): readonly number[] {
  const isId = (id: unknown): id is number => Number.isSafeInteger(id) && (id as number) > 0;
  const given: unknown[] = isList(ids) ? [...ids] : [undefined]; // also what is missing in it
  if (given.every(isId)) return [...new Set(given)];
  throw new MemphisError('INVALID_OPTION', `${where}: an id is a whole number from 1 up, as list() tells it.`, {
    option: 'ids',
  });
}
