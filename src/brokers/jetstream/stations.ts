/** What the data side needs to know of a station: its partitions, and the settings that no stream has a place for. */

import type { Link } from '../../connection/link.ts';
import type { Connection } from '../../connection/port.ts';
import { leftUntil } from '../../connection/within.ts';
import { isMemphisError, MemphisError } from '../../model/errors.ts';
import { isName, toInternalName } from '../../model/station.ts';
import { Looks } from './looks.ts';
import { PATIENCE_MS, repeat } from './repeat.ts';
import { apiError, isJson, type Json, parseJson, refusalOf } from './wire/api.ts';
import type { StreamRoom } from './wire/publish.ts';
import { lastValue, streamNames } from './wire/streams.ts';

/** The bucket with one record a station, under `station.<name>`. */
export const BUCKET = 'memphis_serverless';

/** How long a look beside the work may hold up its end. */
const RENEW_LIMIT_MS = 1_000;
/** As `createStation` takes them. */
const MAX_PARTITIONS = 10_000;

/** A station as the data side sees it. */
export interface StationView {
  readonly partitions: readonly number[];
  readonly sendPoisonMsgToDls: boolean;
  readonly sendSchemaFailedMsgToDls: boolean;
  /** The station that gets a copy of each dead letter; '' for none. */
  readonly dlsStation: string;
  /** The schema that is attached; '' for none. */
  readonly schemaName: string;
  /** Its type. */
  readonly schemaType?: string;
  /** How long the broker remembers message ids; unknown for stations of others: the shortest there is. */
  readonly idempotencyWindowMs: number;
  /** What each partition keeps, where that is limited by bytes. */
  readonly room?: StreamRoom;
}

/** A station's stream of one partition; partition 0 is a station without partitions. */
export function streamOf(station: string, partition: number): string {
  const internal = toInternalName(station);
  return partition === 0 ? internal : `${internal}$${partition}`;
}

/** The stream of a station's dead letters. `$` cannot occur in a name, so this clashes with no station. */
export function deadLetterStreamOf(station: string): string {
  return `${toInternalName(station)}$dls`;
}

/** The stream of copies that come back to one group: parked for a long delay, or put back from the dead letters (012). */
export function retryStreamOf(station: string): string {
  return `${toInternalName(station)}$retry`;
}

/** The station that a name in internal form stands for, or nothing where it can be none's. */
export function toStationName(internal: string): string | undefined {
  return isName(internal.replaceAll('#', '.')) ? internal.replaceAll('#', '.') : undefined;
}

const RECORD_PREFIX = `$KV.${BUCKET}.station.`;
/** Every record. */
export const RECORDS = `${RECORD_PREFIX}>`;

/** No part of a subject may be empty: between two dots in a row stands a `/`, which names and keys of buckets leave free. */
export function keyOf(name: string): string {
  return name.includes('..') ? name.replace(/\.(?=\.)/g, './') : name;
}
export function recordSubject(station: string): string {
  return `${RECORD_PREFIX}${keyOf(station)}`;
}

/** The station whose record is on a subject. */
export function recordedStation(subject: string): string {
  return subject.slice(RECORD_PREFIX.length).replaceAll('./', '.');
}

/** One that somebody has damaged is none: the streams tell what there is. */
function parseRecord(data: Uint8Array): Json | undefined {
  try {
    const record = parseJson(data);
    const isSound = isJson(record) && isWithin(1, MAX_PARTITIONS, record.partitionsNumber);
    return isSound ? record : undefined;
  } catch {
    return undefined;
  }
}

/** The record of a station, or nothing: it is of others, or its making was cut off. */
export async function readRecord(
  connection: Connection,
  station: string,
  timeoutMs: number,
): Promise<StationView | undefined> {
  const last = await lastValue(connection, BUCKET, recordSubject(station), timeoutMs);
  const record = last && parseRecord(last);
  if (record === undefined) return undefined;
  return {
    partitions: Array.from({ length: Number(record.partitionsNumber) }, (_, index) => index + 1),
    sendPoisonMsgToDls: record.sendPoisonMsgToDls !== false,
    sendSchemaFailedMsgToDls: record.sendSchemaFailedMsgToDls !== false,
    dlsStation: typeof record.dlsStation === 'string' && isName(record.dlsStation) ? record.dlsStation : '',
    schemaName: textOf(record.schemaName),
    schemaType: textOf(record.schemaType),
    idempotencyWindowMs: Number(record.idempotencyWindowMs) || unrecorded.idempotencyWindowMs,
    ...(record.retentionType === 'bytes' && roomOf(record)),
  };
}

function roomOf({ retentionValue, storageType }: Json): { readonly room: StreamRoom } | undefined {
  if (!isWithin(1, Number.MAX_SAFE_INTEGER, retentionValue)) return undefined;
  return { room: { maxBytes: Number(retentionValue), isOnFile: storageType !== 'memory' } };
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function isWithin(min: number, max: number, value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max;
}

/** The numbers behind a station's name in the names of streams, ascending. */
export function partitionsAmong(streams: readonly string[], station: string): readonly number[] {
  const numbered: number[] = [];
  for (const stream of streams) {
    const partition = Number(stream.slice(station.length + 1)); // as long as in internal form
    if (isWithin(1, MAX_PARTITIONS, partition) && stream === streamOf(station, partition)) numbered.push(partition);
  }
  return numbered.sort((a, b) => a - b);
}

/**
 * The partitions of a station by its streams: the numbered ones, else 0 for a stream with its very name. Such a one is a
 * station where it takes what is produced into one; other streams of that name are none, and are left alone.
 *
 * @param streams names of all streams, where they are known already
 */
export async function partitionsOf(
  connection: Connection,
  station: string,
  timeoutMs: number,
  streams?: readonly string[],
): Promise<readonly number[]> {
  const names = streams ?? (await streamNames(connection, timeoutMs));
  const numbered = partitionsAmong(names, station);
  const bare = streamOf(station, 0);
  if (numbered.length > 0 || !names.includes(bare)) return numbered;
  return (await streamNames(connection, timeoutMs, `${bare}.final`)).includes(bare) ? [0] : [];
}

/** What counts where there is no record. */
const unrecorded = {
  sendPoisonMsgToDls: true,
  sendSchemaFailedMsgToDls: true,
  dlsStation: '',
  schemaName: '',
  idempotencyWindowMs: 100,
} as const;

/** Streams in the layout of a station that nobody recorded: made by other tools, or moved here. */
async function findStreams(
  connection: Connection,
  station: string,
  timeoutMs: number,
): Promise<StationView | undefined> {
  const found = await partitionsOf(connection, station, timeoutMs);
  return found.length === 0 ? undefined : { ...unrecorded, partitions: found };
}

/** @param binding there where a stream of others was asked for, which `createStation` does not make */
export function stationNotFound(station: string, binding?: unknown): MemphisError {
  const words = binding ? `stream ${station}. Make it` : `station ${station}. Create it with createStation`;
  return new MemphisError('STATION_NOT_FOUND', `There is no ${words} first.`, { station });
}

/** Remembers stations for the life of a link; forgets what turned out wrong. */
export class Stations {
  protected readonly link: Link;
  readonly #make: ((station: string, patienceMs: number) => Promise<void>) | undefined;
  readonly #looks = new Looks('station', (station: string, limitMs: number) => this.look(station, limitMs));

  /** @param make makes a station that is missing when it is first used; left out: it is an error */
  constructor(link: Link, make?: (station: string, patienceMs: number) => Promise<void>) {
    this.link = link;
    this.#make = make;
  }

  /**
   * For producing and reading.
   *
   * @param patienceMs how long trouble is ridden out, where it has to be looked up
   * @throws MemphisError `STATION_NOT_FOUND`
   */
  view(station: string, patienceMs?: number): Promise<StationView> {
    return this.#make === undefined ? this.find(station, patienceMs) : this.#findOrMake(station, patienceMs);
  }

  async #findOrMake(station: string, patienceMs: number = PATIENCE_MS): Promise<StationView> {
    const untilMs = Date.now() + patienceMs;
    try {
      return await this.find(station, patienceMs);
    } catch (error) {
      if (!isMemphisError(error, 'STATION_NOT_FOUND')) throw error;
    }
    await this.#make?.(station, leftUntil(untilMs));
    return await this.find(station, leftUntil(untilMs));
  }

  /** For what makes no station. @throws MemphisError `STATION_NOT_FOUND` */
  find(station: string, patienceMs: number = PATIENCE_MS): Promise<StationView> {
    return this.#looks.find(station, patienceMs);
  }

  /** What is known by now. */
  known(station: string): StationView | undefined {
    return this.#looks.known(station);
  }

  /** Whether a station was looked up, or is being looked up. */
  isLooked(station: string): boolean {
    return this.#looks.has(station);
  }

  /** Looks anew at what is known, which is in use until then. Never rejects. */
  renew(station: string): Promise<void> {
    return this.#looks.renew(station, RENEW_LIMIT_MS);
  }

  forget(station: string): void {
    this.#looks.delete(station);
  }

  /** From now on more is to be known of each. */
  protected forgetAll(): void {
    this.#looks.clear();
  }

  protected async look(station: string, patienceMs: number): Promise<StationView> {
    const found = await repeat(this.link, 'look up station', patienceMs, async (connection, limitMs) => {
      return (await readRecord(connection, station, limitMs)) ?? (await findStreams(connection, station, limitMs));
    });
    if (found === undefined) throw stationNotFound(station);
    return found;
  }
}

/** Whether an error says that a stream is not there. */
export function isStreamMissing(error: unknown): boolean {
  return isMemphisError(error, 'STATION_NOT_FOUND') || refusalOf(error) === apiError.STREAM_NOT_FOUND;
}
