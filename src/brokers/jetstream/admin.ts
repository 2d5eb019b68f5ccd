/** The JetStream driver's administration: making, describing and removing stations. */

import type { Connection } from '../../connection/port.ts';
import type { BrokerAdmin, ReaderOptions } from '../../model/broker.ts';
import type { DeadLetterStore } from '../../model/dead-letter.ts';
import { isMemphisError, MemphisError } from '../../model/errors.ts';
import type { SchemaStore } from '../../model/schema-store.ts';
import { defaultStation, type StationSettings } from '../../model/station.ts';
import type { StationDescription, StationListing } from '../../model/station-description.ts';
import type { JetStreamBroker } from './broker.ts';
import { JetStreamDeadLetters } from './dead-letter-admin.ts';
import { describeStation, listStations } from './describe.ts';
import { destroyGroup } from './destroy-group.ts';
import { makeStation } from './make-station.ts';
import { streamReadersOf } from './readers.ts';
import { PATIENCE_MS, repeat } from './repeat.ts';
import { JetStreamSchemas } from './schema-store.ts';
import {
  BUCKET,
  deadLetterStreamOf,
  partitionsAmong,
  partitionsOf,
  readRecord,
  recordSubject,
  retryStreamOf,
  stationNotFound,
  streamOf,
} from './stations.ts';
import { store } from './store.ts';
import { apiError, refusalOf } from './wire/api.ts';
import { createStream, deleteStream, purgeStream, stationStreamConfig, streamNames } from './wire/streams.ts';

export class JetStreamAdmin implements BrokerAdmin {
  readonly schemas: SchemaStore;
  readonly #broker: JetStreamBroker;

  constructor(broker: JetStreamBroker) {
    this.#broker = broker;
    this.schemas = new JetStreamSchemas(broker);
  }

  async createStation(name: string, settings: StationSettings): Promise<boolean> {
    if (settings.tieredStorageEnabled) {
      throw new MemphisError('UNSUPPORTED', 'createStation: JetStream has no tiered storage; leave it off.', {
        option: 'tieredStorageEnabled',
        station: name,
      });
    }
    const { link, schemas, stations } = this.#broker;
    const isThere = await repeat(link, 'look for station', PATIENCE_MS, (connection, limitMs) =>
      this.#exists(connection, name, settings, limitMs),
    );
    if (isThere) return false;
    const { dlsStation } = settings;
    if (dlsStation !== '') await this.createStation(dlsStation, defaultStation);
    const schemaType = settings.schemaName === '' ? '' : (await this.schemas.describe(settings.schemaName)).type;
    await makeStation(link, name, { ...settings, schemaType });
    stations.forget(name);
    schemas.forget?.();
    return true;
  }

  destroyGroup(options: ReaderOptions): Promise<void> {
    return destroyGroup(streamReadersOf(this.#broker), options);
  }

  /** The record goes first, since a station with one is whole; what is left after a failure goes with the next call. */
  async destroyStation(name: string): Promise<void> {
    const { link, stations } = this.#broker;
    const { partitions, others, isRecorded } = await repeat(
      link,
      'look for station',
      PATIENCE_MS,
      (connection, limitMs) => this.#find(connection, name, limitMs),
    );
    if (!isRecorded && partitions.length + others.length === 0) throw stationNotFound(name);
    const own = partitions.map((partition) => streamOf(name, partition));
    // sequences begin anew in a stream that is made anew: what was noted of deliveries must not meet them
    await Promise.all([...own, ...others].map((stream) => this.#forgetCredits(stream)));
    if (isRecorded) await this.#removeRecord(name);
    for (const streams of [own, others]) await Promise.all(streams.map((stream) => this.#deleteStream(stream)));
    stations.forget(name);
  }

  describeStation(name: string): Promise<StationDescription> {
    return describeStation(this.#broker.link, name);
  }

  listStations(): Promise<readonly StationListing[]> {
    return listStations(this.#broker.link);
  }

  deadLetterStore(station: string, isBound: boolean): DeadLetterStore {
    const { link, stations } = this.#broker;
    const { retries } = streamReadersOf(this.#broker);
    return new JetStreamDeadLetters({ link, stations, retries }, station, isBound);
  }

  /**
   * A station with a record exists when its streams do. Without a record its making was cut off, or it is of others:
   * the same settings mean the first, and it is completed.
   */
  async #exists(connection: Connection, name: string, settings: StationSettings, limitMs: number): Promise<boolean> {
    const names = await streamNames(connection, limitMs);
    const record = await readRecord(connection, name, limitMs);
    if (record !== undefined) return record.partitions.every((partition) => names.includes(streamOf(name, partition)));
    const first = streamOf(name, 1);
    if (!names.includes(first)) return (await partitionsOf(connection, name, limitMs, names)).length > 0;
    try {
      await createStream(connection, stationStreamConfig(first, settings), limitMs);
      return false;
    } catch (error) {
      if (refusalOf(error) === apiError.STREAM_NAME_IN_USE) return true;
      throw error;
    }
  }

  /** What there is of a station, its making or removal may have been cut off. */
  async #find(connection: Connection, name: string, limitMs: number) {
    const names = await streamNames(connection, limitMs);
    const record = await readRecord(connection, name, limitMs);
    const isRecorded = record !== undefined;
    // a stream with the very name is no part of a station of ours
    const partitions = isRecorded ? partitionsAmong(names, name) : await partitionsOf(connection, name, limitMs, names);
    // dead letters of a stream of others that is no station are its readers'
    const isNone = !isRecorded && partitions.length === 0 && names.includes(streamOf(name, 0));
    const helpers = isNone ? [] : [retryStreamOf(name), deadLetterStreamOf(name)];
    return { partitions, others: helpers.filter((stream) => names.includes(stream)), isRecorded };
  }

  async #forgetCredits(stream: string): Promise<void> {
    await repeat(this.#broker.link, 'forget credits', PATIENCE_MS, async (connection, limitMs) => {
      const filter = `$KV.${BUCKET}.credit.${stream}.>`;
      await purgeStream(connection, `KV_${BUCKET}`, { filter }, limitMs).catch(unlessMissing);
    });
  }

  async #deleteStream(stream: string): Promise<void> {
    await repeat(this.#broker.link, 'destroy station', PATIENCE_MS, (connection, limitMs) =>
      deleteStream(connection, stream, limitMs).catch(unlessMissing),
    );
  }

  async #removeRecord(name: string): Promise<void> {
    const marker = { data: new Uint8Array(), headers: [['KV-Operation', 'DEL']] as const };
    const { link } = this.#broker;
    const subject = recordSubject(name);
    try {
      await store(link, subject, marker, { timeoutMs: PATIENCE_MS, onMissing: async () => {} });
    } catch (error) {
      if (!isMemphisError(error, 'STORAGE_FULL')) throw error;
      // no room for a word about it: destroying stations is how room is made
      await repeat(link, 'destroy station', PATIENCE_MS, (connection, limitMs) =>
        purgeStream(connection, `KV_${BUCKET}`, { filter: subject }, limitMs),
      );
    }
  }
}

/** Gone is what was wanted; also what a repeat after a lost answer finds. */
function unlessMissing(error: unknown): void {
  if (refusalOf(error) !== apiError.STREAM_NOT_FOUND) throw error;
}
