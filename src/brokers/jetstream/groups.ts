/** A group's lanes: its durables found, made on first use, and brought to what was asked for. */

import type { Link } from '../../connection/link.ts';
import type { Connection } from '../../connection/port.ts';
import type { ReaderOptions } from '../../model/broker.ts';
import { MemphisError } from '../../model/errors.ts';
import type { StartPosition } from '../../model/source.ts';
import { toInternalName } from '../../model/station.ts';
import { conflictOf, describe, isOurs } from './group-rules.ts';
import { type Lane, toLane } from './lane.ts';
import { Looks } from './looks.ts';
import { PATIENCE_MS, repeat } from './repeat.ts';
import type { Retries } from './retries.ts';
import { isStreamMissing, type Stations, stationNotFound, streamOf } from './stations.ts';
import { apiError, refusalOf } from './wire/api.ts';
import { createDurable, type DeliverFrom, type Durable, durableInfo, updateDurable } from './wire/consumers.ts';
import { lastSequence } from './wire/streams.ts';

/** A group's durable, and whether it was made just now. */
export interface FoundDurable {
  readonly durable: Durable;
  readonly isNew?: true;
}

const NO_LANES: readonly Lane[] = [];

/** The durables of one group. Remembers what it has seen; `forget` after a surprise. */
export class Group {
  readonly durableName: string;
  /** Programs of others read it too, and would not find what is parked. */
  readonly isShared: boolean = false;
  readonly #link: Link;
  protected readonly stations: Stations;
  readonly #retries: Retries;
  protected readonly options: ReaderOptions;
  /** By partition: its own lane, and that of copies that came back. */
  readonly #own = this.#looks((...given) => this.#findOwn(...given));
  readonly #back = this.#looks((...given) => this.#findBack(...given));
  /** What was found for some partitions, when so much was known of what comes back. */
  #found:
    | { readonly partitions: readonly number[]; readonly known: unknown; readonly lanes: readonly Lane[] }
    | undefined;

  constructor(link: Link, stations: Stations, retries: Retries, options: ReaderOptions) {
    this.#link = link;
    this.stations = stations;
    this.#retries = retries;
    this.options = options;
    this.durableName = options.binding === undefined ? toInternalName(options.group) : options.group;
  }

  /**
   * All lanes: the partitions' own, and those of copies that came back for these partitions.
   *
   * @param patienceMs how long trouble is ridden out, where they have to be looked up
   * @throws MemphisError `STATION_NOT_FOUND`, `GROUP_CONFLICT`
   */
  lanes(
    connection: Connection,
    partitions: readonly number[],
    patienceMs: number = PATIENCE_MS,
  ): readonly Lane[] | Promise<readonly Lane[]> {
    const found = this.#found;
    const isKnown = found?.partitions === partitions && found.known === this.#retries.known(this.options.station);
    return isKnown ? found.lanes : this.#look(connection, partitions, patienceMs);
  }

  async #look(connection: Connection, partitions: readonly number[], patienceMs: number): Promise<readonly Lane[]> {
    const { station } = this.options;
    // once for each station: what came back must not be missed by a function that takes what is there, and ends
    const looked = this.#retries.known(station) === undefined ? this.refresh(connection, patienceMs) : undefined;
    const lanes = await Promise.all(partitions.map((partition) => this.own(partition, patienceMs)));
    await looked;
    const known = this.#retries.known(station);
    for (const partition of this.#retries.partitions(station, this.durableName)) {
      if (partitions.includes(partition)) lanes.push(await this.#retry(partition, patienceMs));
    }
    if (!this.isUnknown) this.#found = { partitions, known, lanes };
    return lanes;
  }

  /** Whether nothing was looked up yet, or all of it is to be looked up again. */
  get isUnknown(): boolean {
    return this.#own.size === 0;
  }

  /** Where a partition's messages are pulled from. */
  placeOf(partition: number): { readonly stream: string; readonly durable: string } {
    const { station, binding } = this.options;
    return { stream: binding?.stream ?? streamOf(station, partition), durable: this.durableName };
  }

  /** Looks for lanes that others have opened, unless that was done just now. Never rejects. */
  refresh(connection: Connection, limitMs: number): Promise<void> | undefined {
    const { station } = this.options;
    return this.#retries.isStale(station) ? this.#retries.look(connection, station, limitMs) : undefined;
  }

  /** After a surprise: what is known of these lanes is looked up again. */
  forget(): void {
    this.#found = undefined;
    this.#own.clear();
    this.#back.clear();
  }

  /**
   * Lanes that are not asked each time: what comes on them can wait a little.
   *
   * @param isEmpty the others had nothing
   */
  extra(
    _connection: Connection,
    _partitions: readonly number[],
    _isEmpty: boolean,
  ): readonly Lane[] | Promise<readonly Lane[]> {
    return NO_LANES;
  }

  /** Told that its durables are there, before their first messages are handed out. Never rejects. */
  met(_connection: Connection, _lanes: readonly Lane[]): Promise<void> | undefined {
    return undefined;
  }

  /** The lane of a partition's own messages; its durable is made where it is missing. @throws as `lanes` */
  own(partition: number, patienceMs: number): Promise<Lane> {
    return this.#own.find(partition, patienceMs);
  }

  #retry(partition: number, patienceMs: number): Promise<Lane> {
    return this.#back.find(partition, patienceMs);
  }

  async #findOwn(partition: number, connection: Connection, limitMs: number): Promise<Lane> {
    const place = { ...this.placeOf(partition), partition, isRetry: false, keepsSettled: false };
    const { durable, isNew } = await this.findOrMake(connection, place.stream, limitMs);
    const begin = this.isShared || isOurs(durable) ? Number(durable.config.opt_start_seq ?? 0) : 0;
    return { ...toLane(place, durable), begin, isShared: this.isShared, isNew };
  }

  async #findBack(partition: number, connection: Connection, limitMs: number): Promise<Lane> {
    const { station, ackWaitMs } = this.options;
    const at = { ...this.placeOf(partition), station, partition, ackWaitMs };
    return { ...(await this.#retries.lane(connection, at, limitMs)), isShared: this.isShared };
  }

  #looks(find: (partition: number, connection: Connection, limitMs: number) => Promise<Lane>): Looks<number, Lane> {
    return new Looks('partition', (partition, patienceMs) =>
      repeat(this.#link, 'look up group', patienceMs, (connection, limitMs) => find(partition, connection, limitMs)),
    );
  }

  protected async findOrMake(connection: Connection, stream: string, limitMs: number): Promise<FoundDurable> {
    const { ackWaitMs, ordered = false } = this.options;
    try {
      const durable = await durableInfo(connection, stream, this.durableName, limitMs);
      const why = conflictOf(durable, this.options);
      if (why !== undefined) throw this.conflict(why);
      const maxAckPending = ordered ? 1 : durable.maxAckPending;
      // one that is not of our making stays as its owner wants it
      const isRight = durable.ackWaitMs === ackWaitMs && durable.maxAckPending === maxAckPending;
      if (isRight || !isOurs(durable)) return { durable };
      return { durable: await updateDurable(connection, stream, durable, { ackWaitMs, maxAckPending }, limitMs) };
    } catch (error) {
      this.#refuseUnlessMissing(error);
      return { durable: await this.#make(connection, stream, limitMs), isNew: true };
    }
  }

  /** @throws the error, or that there is no such station; nothing where the durable is not there */
  #refuseUnlessMissing(error: unknown): void {
    const { station, binding } = this.options;
    if (refusalOf(error) === apiError.CONSUMER_NOT_FOUND) return;
    if (!isStreamMissing(error)) throw error;
    this.stations.forget(station);
    throw stationNotFound(station, binding);
  }

  async #make(connection: Connection, stream: string, limitMs: number): Promise<Durable> {
    const { ackWaitMs, ordered = false, start, binding } = this.options;
    const filterSubject = binding === undefined ? `${stream}.final` : binding.filterSubject;
    return createDurable(
      connection,
      stream,
      {
        name: this.durableName,
        description: describe(start),
        ackWaitMs,
        from: await fromOf(connection, stream, start, limitMs),
        maxAckPending: ordered ? 1 : -1,
        ...(filterSubject === undefined ? {} : { filterSubject }),
      },
      limitMs,
    );
  }

  protected conflict(why: string): MemphisError {
    const { station, group } = this.options;
    return new MemphisError(
      'GROUP_CONFLICT',
      `Group ${group} of ${station} exists already and ${why}. Use another group, or destroy this one.`,
      { station, group },
    );
  }
}

export async function fromOf(
  connection: Connection,
  stream: string,
  start: StartPosition | undefined,
  limitMs: number,
): Promise<DeliverFrom> {
  if (start === undefined) return { deliver_policy: 'all' };
  if ('sequence' in start) return { deliver_policy: 'by_start_sequence', opt_start_seq: start.sequence };
  const last = await lastSequence(connection, stream, limitMs);
  return { deliver_policy: 'by_start_sequence', opt_start_seq: Math.max(1, last - start.lastMessages + 1) };
}
