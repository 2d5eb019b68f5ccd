/** The JetStream driver's administration: making and removing stations. */

import type { Connection } from '../../connection/port.ts';
import type { BrokerAdmin } from '../../model/broker.ts';
import { MemphisError } from '../../model/errors.ts';
import type { StationSettings } from '../../model/station.ts';
import type { JetStreamBroker } from './broker.ts';
import { store } from './publish.ts';
import { PATIENCE_MS, repeat } from './repeat.ts';
import { BUCKET, deadLetterStreamOf, readRecord, recordSubject, stationNotFound, streamOf } from './stations.ts';
import { apiError, encodeJson, refusalOf } from './wire/api.ts';
import {
  bucketConfig,
  createStream,
  deadLetterStreamConfig,
  deleteStream,
  stationStreamConfig,
  streamNames,
} from './wire/streams.ts';

export class JetStreamAdmin implements BrokerAdmin {
  readonly #broker: JetStreamBroker;

  constructor(broker: JetStreamBroker) {
    this.#broker = broker;
  }

  async createStation(name: string, settings: StationSettings): Promise<boolean> {
    const { link, stations } = this.#broker;
    const created = await repeat(link, 'create station', PATIENCE_MS, async (connection, limitMs) => {
      if (await this.#exists(connection, name, settings, limitMs)) return false;
      await this.#create(connection, name, settings, limitMs);
      return true;
    });
    // the record comes last: a station with a record is whole
    if (created) await this.#putRecord(name, encodeJson({ ...settings, name }), settings.replicas);
    stations.forget(name);
    return created;
  }

  async destroyStation(name: string): Promise<void> {
    const { link, stations } = this.#broker;
    const partitions = await stations.view(name).then((view) => view.partitions);
    await this.#putRecord(name, undefined, 1);
    const names = [...partitions.map((partition) => streamOf(name, partition)), deadLetterStreamOf(name)];
    const deleted = await Promise.all(
      names.map((stream) =>
        repeat(link, 'destroy station', PATIENCE_MS, (connection, limitMs) =>
          deleteStream(connection, stream, limitMs).then(
            () => true,
            (error: unknown) => {
              if (refusalOf(error) === apiError.STREAM_NOT_FOUND) return false;
              throw error;
            },
          ),
        ),
      ),
    );
    stations.forget(name);
    if (!deleted.includes(true)) throw stationNotFound(name);
  }

  /**
   * A station with a record exists when its streams do. Without a record its making was cut off, or it is of others:
   * the same settings mean the first, and it is completed.
   */
  async #exists(connection: Connection, name: string, settings: StationSettings, limitMs: number): Promise<boolean> {
    const names = new Set(await streamNames(connection, limitMs));
    const record = await readRecord(connection, name, limitMs);
    if (record !== undefined) return record.partitions.every((partition) => names.has(streamOf(name, partition)));
    const first = streamOf(name, 1);
    if (!names.has(first)) return names.has(streamOf(name, 0));
    try {
      await createStream(connection, stationStreamConfig(first, settings), limitMs);
      return false;
    } catch (error) {
      if (refusalOf(error) === apiError.STREAM_NAME_IN_USE) return true;
      throw error;
    }
  }

  async #create(connection: Connection, name: string, settings: StationSettings, limitMs: number): Promise<void> {
    for (let partition = 1; partition <= settings.partitionsNumber; partition++) {
      const stream = streamOf(name, partition);
      try {
        await createStream(connection, stationStreamConfig(stream, settings), limitMs);
      } catch (error) {
        if (refusalOf(error) !== apiError.STREAM_NAME_IN_USE) throw error;
        throw new MemphisError(
          'STATION_CONFLICT',
          `Could not create station ${name}: stream ${stream} exists with other settings. Destroy it, or choose another name.`,
          { cause: error, station: name },
        );
      }
    }
    const { storageType, replicas } = settings;
    const deadLetters = deadLetterStreamConfig(deadLetterStreamOf(name), storageType, replicas);
    await createStream(connection, deadLetters, limitMs).catch((error: unknown) => {
      if (refusalOf(error) !== apiError.STREAM_NAME_IN_USE) throw error;
    });
  }

  async #putRecord(name: string, record: Uint8Array | undefined, replicas: number): Promise<void> {
    const headers = record === undefined ? ([['KV-Operation', 'DEL']] as const) : [];
    await store(
      this.#broker.link,
      recordSubject(name),
      { data: record ?? new Uint8Array(), headers },
      {
        timeoutMs: PATIENCE_MS,
        onMissing: async (connection, limitMs) => {
          await createStream(connection, bucketConfig(BUCKET, replicas), limitMs).catch((error: unknown) => {
            if (refusalOf(error) !== apiError.STREAM_NAME_IN_USE) throw error;
          });
        },
      },
    );
  }
}
