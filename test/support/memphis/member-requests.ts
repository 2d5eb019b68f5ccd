/** Producers and members of groups at the stand-in: rows, and the durables of groups (memphis-wire 2.3 to 2.6, 5.2). */

import { isJson, type Json } from '../../../src/brokers/jetstream/wire/api.ts';
import type { Connection } from '../../../src/connection/port.ts';
import { askApi } from './api.ts';
import { SCHEMA_OF_NONE, type SchemaRequests } from './schema-requests.ts';
import type { StationRequests } from './station-requests.ts';
import { internal, type MemberRow, nameError, type StationRow, type Tables } from './tables.ts';

const partitionsOf = ({ partitions }: StationRow): number[] =>
  Array.from({ length: partitions }, (_, index) => index + 1);

export class MemberRequests {
  readonly #nats: Connection;
  readonly #tables: Tables;
  readonly #username: string;
  readonly #onViolation: (what: string) => void;
  readonly #stations: StationRequests;
  readonly #schemas: SchemaRequests;

  constructor(
    nats: Connection,
    tables: Tables,
    username: string,
    onViolation: (what: string) => void,
    parts: { readonly stations: StationRequests; readonly schemas: SchemaRequests },
  ) {
    this.#nats = nats;
    this.#tables = tables;
    this.#username = username;
    this.#onViolation = onViolation;
    this.#stations = parts.stations;
    this.#schemas = parts.schemas;
  }

  async createProducer(body: Json): Promise<string> {
    const found = await this.#join('producer', body);
    const told = typeof found === 'string' ? undefined : found;
    return JSON.stringify({
      schema_update: this.#schemas.of(told),
      partitions_update: { partitions_list: told === undefined ? null : partitionsOf(told) },
      schemaverse_to_dls: told?.schemaverse ?? false,
      send_notification: this.#tables.wantsNotifications,
      station_version: told === undefined ? 0 : 2,
      station_partitions_first_functions: told === undefined ? null : {},
      error: typeof found === 'string' ? found : '',
    });
  }

  /** @returns replies, in order; a refusal has two */
  async createConsumer(body: Json): Promise<readonly string[]> {
    const start = Number(body.start_consume_from_sequence ?? 0);
    const last = Number(body.last_messages ?? 0);
    if (start < 0) return ['']; // read as a request of the oldest version, and taken for the beginning
    if (start < 1) return ['startConsumeFromSequence has to be a positive number'];
    if (last < -1) return ['min value for LastMessages is -1'];
    if (start > 1 && last > -1) {
      return ["consumer creation options can't contain both startConsumeFromSequence and lastMessages"];
    }
    if (body.last_messages === undefined) this.#onViolation('a consumer creation without last_messages');
    if (!(Number(body.max_msg_deliveries) >= 1 && Number(body.max_msg_deliveries) <= 10)) {
      this.#onViolation('max_msg_deliveries that the broker would change in silence');
    }
    const found = await this.#join('consumer', body);
    if (typeof found !== 'string') {
      return [
        JSON.stringify({
          schema_update: this.#schemas.of(found),
          partitions_update: { partitions_list: partitionsOf(found) },
          error: '',
        }),
      ];
    }
    // the broker goes on after a refusal, and answers a second time
    if (nameError('Station', String(body.station_name ?? '').toLowerCase()) === found) {
      return [found, JSON.stringify({ error: found })];
    }
    const second = { schema_update: SCHEMA_OF_NONE, partitions_update: { partitions_list: [] }, error: '' };
    return [found, JSON.stringify(second)];
  }

  /** @returns the station, or what is wrong */
  async #join(kind: 'producer' | 'consumer', body: Json): Promise<StationRow | string> {
    const name = String(body.name ?? '').toLowerCase();
    const group = String(body.consumers_group || name).toLowerCase();
    const station = String(body.station_name ?? '').toLowerCase();
    const what = kind === 'producer' ? 'Producer' : 'Consumer';
    const wrong = nameError(what, name) ?? nameError(what, group) ?? nameError('Station', station);
    if (wrong !== undefined) return wrong;
    if (body.username !== this.#username) {
      return kind === 'producer' ? `User ${body.username ?? ''} does not exist` : 'user does not exist';
    }
    if (!this.#tables.stations.has(station)) {
      const made = await this.#stations.makeDefault(station);
      if (made !== '') return made;
    }
    const row = this.#tables.stations.get(station) as StationRow;
    const maxAckTimeMs = Number(body.max_ack_time_ms) > 0 ? Number(body.max_ack_time_ms) : 30_000;
    const maxDeliveries = Number(body.max_msg_deliveries ?? 10);
    if (kind === 'consumer') {
      const active = this.#tables.membersOf(station, group).find(({ isActive }) => isActive);
      if (active?.maxAckTimeMs !== maxAckTimeMs || active.maxDeliveries !== maxDeliveries) {
        const failed = await this.#configure(row, group, body, maxAckTimeMs, maxDeliveries);
        if (failed !== undefined) return failed;
      }
    }
    const connectionId = String(body.connection_id);
    this.#tables.members.push({
      kind,
      name,
      station,
      group,
      connectionId,
      maxAckTimeMs,
      maxDeliveries,
      isActive: true,
    });
    return row;
  }

  /** Durables as memphis-wire 5.2 has them; with a count of messages on one partition none at all. */
  async #configure(row: StationRow, group: string, body: Json, ackMs: number, deliveries: number) {
    const start = Number(body.start_consume_from_sequence);
    const last = Number(body.last_messages);
    if (last > 0 && row.partitions === 1) return undefined;
    for (const partition of partitionsOf(row)) {
      const stream = `${internal(row.name)}$${partition}`;
      let from: Json = { deliver_policy: last === 0 ? 'new' : 'all' };
      if (start > 1) from = { deliver_policy: 'by_start_sequence', opt_start_seq: start };
      if (last > 0) {
        const { state } = await askApi(this.#nats, `STREAM.INFO.${stream}`);
        const end = isJson(state) ? Number(state.last_seq) : 0;
        from = { deliver_policy: 'by_start_sequence', opt_start_seq: Math.max(1, end - last + 1) };
      }
      const reply = await askApi(this.#nats, `CONSUMER.DURABLE.CREATE.${stream}.${internal(group)}`, {
        stream_name: stream,
        config: {
          durable_name: internal(group),
          ...from,
          ack_policy: 'explicit',
          ack_wait: ackMs * 1e6,
          max_deliver: deliveries,
          filter_subject: `${stream}.final`,
          replay_policy: 'instant',
          max_ack_pending: -1,
        },
      });
      if (isJson(reply.error)) return `${reply.error.description} (${reply.error.err_code})`;
    }
    return undefined;
  }

  async destroyConsumer(body: Json): Promise<string> {
    const left = this.leave('consumer', body);
    if (left === undefined) return `Consumer ${body.name} at station ${body.station_name} does not exist`;
    const { station, group } = left;
    if (this.#tables.membersOf(station, group).some(({ isActive }) => isActive)) return '';
    const row = this.#tables.stations.get(station) as StationRow;
    for (const partition of partitionsOf(row)) {
      await askApi(this.#nats, `CONSUMER.DELETE.${internal(station)}$${partition}.${internal(group)}`);
    }
    return '';
  }

  /** @returns the row that went */
  leave(kind: 'producer' | 'consumer', body: Json): MemberRow | undefined {
    const at = this.#tables.members.findIndex(
      (row) =>
        row.kind === kind &&
        row.name === String(body.name).toLowerCase() &&
        row.station === String(body.station_name).toLowerCase() &&
        row.connectionId === body.connection_id,
    );
    return at < 0 ? undefined : this.#tables.members.splice(at, 1)[0];
  }
}
