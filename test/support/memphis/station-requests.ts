/** Making and removing stations of the stand-in: rows, and the streams that they stand for (memphis-wire 2.7, 8). */

import { isJson, type Json } from '../../../src/brokers/jetstream/wire/api.ts';
import type { Connection } from '../../../src/connection/port.ts';
import { askApi } from './api.ts';
import { internal, nameError, type StationRow, type Tables } from './tables.ts';

export class StationRequests {
  readonly #nats: Connection;
  readonly #tables: Tables;
  readonly #username: string;
  readonly #onViolation: (what: string) => void;
  readonly #making = new Map<string, Promise<string>>();

  constructor(nats: Connection, tables: Tables, username: string, onViolation: (what: string) => void) {
    this.#nats = nats;
    this.#tables = tables;
    this.#username = username;
    this.#onViolation = onViolation;
  }

  async create(body: Json): Promise<string> {
    const name = String(body.name ?? '').toLowerCase();
    const wrong = nameError('Station', name);
    if (wrong !== undefined) return wrong;
    if (this.#tables.stations.has(name)) return '';
    const partitions = Number(body.partitions_number ?? 0);
    if (partitions > 10_000) this.#onViolation('a station with more partitions than the broker survives');
    if (partitions === 0) return 'you are using an old SDK, make sure to update your SDK';
    const numbers = [body.retention_value, body.idempotency_window_in_ms, partitions];
    if (numbers.some((number) => Number(number) > 2_147_483_647)) this.#onViolation('a number wider than 32 bits');
    if (body.username !== this.#username) return '';
    if (Number(body.replicas ?? 1) > 1) {
      return 'station can not be created, probably since replicas count is larger than the cluster size';
    }
    const schema = String(body.schema_name ?? '').toLowerCase();
    if (schema !== '' && !this.#tables.schemas.has(schema)) return '';
    const dls = isJson(body.dls_configuration) ? body.dls_configuration : {};
    const dlsStation = String(body.dls_station ?? '').toLowerCase();
    const badDls = dlsStation === '' ? undefined : nameError('Station', dlsStation);
    if (badDls !== undefined) return badDls;
    const retentionType = String(body.retention_type || 'message_age_sec').toLowerCase();
    const windowMs = Math.max(100, Number(body.idempotency_window_in_ms) || 120_000);
    const value = Number(body.retention_value ?? 0);
    if (retentionType === 'message_age_sec' && windowMs > value * 1_000) {
      return 'idempotency window cannot be greater than the station retention';
    }
    return await this.#makeStation({
      name,
      partitions,
      retentionType,
      retentionValue: value,
      storageType: String(body.storage_type || 'file').toLowerCase(),
      idempotencyWindowMs: windowMs,
      poison: dls.poison === true,
      schemaverse: (dls.schemaverse ?? dls.Schemaverse) === true,
      schema,
      dlsStation,
    });
  }

  /** Who comes while it is being made is told so, when it is made. */
  async #makeStation(row: StationRow): Promise<string> {
    const making = this.#making.get(row.name);
    if (making !== undefined) await making;
    if (this.#tables.stations.has(row.name)) return `Station${row.name} already exists`;
    const made = this.#makeStreams(row).then((refused) => {
      if (refused === '') this.#tables.stations.set(row.name, row);
      this.#making.delete(row.name);
      return refused;
    });
    this.#making.set(row.name, made);
    return await made;
  }

  async #makeStreams(row: StationRow): Promise<string> {
    if (row.dlsStation !== '' && !this.#tables.stations.has(row.dlsStation)) await this.makeDefault(row.dlsStation);
    for (let partition = 1; partition <= row.partitions; partition++) {
      const stream = `${internal(row.name)}$${partition}`;
      const { retentionType: type, retentionValue: value } = row;
      const reply = await askApi(this.#nats, `STREAM.CREATE.${stream}`, {
        name: stream,
        subjects: [`${stream}.>`],
        retention: type === 'ack_based' ? 'interest' : 'limits',
        discard: 'old',
        storage: row.storageType,
        num_replicas: 1,
        max_msgs: type === 'messages' ? value : -1,
        max_bytes: type === 'bytes' ? value : -1,
        max_age: type === 'message_age_sec' ? value * 1e9 : 0,
        duplicate_window: row.idempotencyWindowMs * 1e6,
      });
      if (isJson(reply.error)) return `${reply.error.description} (${reply.error.err_code})`;
    }
    return '';
  }

  /** As somebody who registers at one that is missing gets it. */
  makeDefault(name: string): Promise<string> {
    return this.#makeStation({
      name,
      partitions: 1,
      retentionType: 'message_age_sec',
      retentionValue: 3_600,
      storageType: 'file',
      idempotencyWindowMs: 120_000,
      poison: true,
      schemaverse: true,
      schema: '',
      dlsStation: '',
    });
  }

  async destroy(name: string): Promise<string> {
    const wrong = nameError('Station', name);
    if (wrong !== undefined) return wrong;
    const row = this.#tables.stations.get(name);
    if (row === undefined) return 'Station  does not exist';
    this.#tables.stations.delete(name);
    for (let partition = 1; partition <= row.partitions; partition++) {
      await askApi(this.#nats, `STREAM.DELETE.${internal(name)}$${partition}`);
    }
    this.#tables.members = this.#tables.members.filter((member) => member.station !== name);
    this.#tables.deadLetters = this.#tables.deadLetters.filter((letter) => letter.station !== name);
    return '';
  }
}
