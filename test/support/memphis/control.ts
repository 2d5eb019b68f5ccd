/** The control plane of the stand-in: what the nine request subjects answer (memphis-wire 2, 5.2, 8). */

import { isJson, type Json } from '../../../src/brokers/jetstream/wire/api.ts';
import type { Connection } from '../../../src/connection/port.ts';
import { internal, nameError, type StationRow, type Tables } from './tables.ts';

/** Faults that a test puts in the way of its client. */
export interface Faults {
  /** No answer to requests on these subjects. */
  silent?: readonly string[];
  /** So much later than it could be. */
  delayMs?: number;
  /** How long an answer is held back that is known already, by subject. */
  heldMs?: Readonly<Record<string, number>>;
  /** What is answered in place of an answer, by subject. */
  text?: Readonly<Record<string, string>>;
  /** What is answered once more behind an answer, by subject. */
  again?: Readonly<Record<string, string>>;
}

const SCHEMA_OF_NONE = {
  schema_name: '',
  active_version: { version_number: 0, descriptor: '', schema_content: '', message_struct_name: '' },
  type: '',
};

export class Control {
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

  /** @returns replies, in order; a refused consumer creation has two */
  async answer(subject: string, data: Uint8Array): Promise<readonly string[]> {
    const text = new TextDecoder().decode(data);
    let body: unknown;
    try {
      body = JSON.parse(text);
    } catch {
      return ['unexpected end of JSON input'];
    }
    if (!isJson(body)) return ['json: cannot unmarshal'];
    this.#tables.requests.push({ subject, body });
    for (const key of ['name', 'station_name', 'consumers_group'] as const) {
      if (String(body[key] ?? '').includes('#')) this.#onViolation(`${subject}: ${key} in internal form`);
    }
    const user = String(body.username ?? body.created_by_username ?? '');
    if (user !== user.toLowerCase()) this.#onViolation(`${subject}: username is not in lower case`);
    switch (subject) {
      case '$memphis_station_creations':
        return [await this.#createStation(body)];
      case '$memphis_station_destructions':
        return [await this.#destroyStation(String(body.station_name).toLowerCase())];
      case '$memphis_producer_creations':
        return [await this.#createProducer(body)];
      case '$memphis_consumer_creations':
        return this.#createConsumer(body);
      case '$memphis_producer_destructions':
        this.#leave('producer', body);
        return [''];
      case '$memphis_consumer_destructions':
        return [await this.#destroyConsumer(body)];
      case '$memphis_schema_attachments':
        return [this.#attach(String(body.station_name).toLowerCase(), String(body.name).toLowerCase())];
      case '$memphis_schema_detachments':
        return [this.#attach(String(body.station_name).toLowerCase(), '')];
      case '$memphis_schema_creations':
        return [JSON.stringify({ error: this.#createSchema(body) })];
      default:
        return [];
    }
  }

  async #createStation(body: Json): Promise<string> {
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
    if (row.dlsStation !== '' && !this.#tables.stations.has(row.dlsStation)) await this.#makeDefault(row.dlsStation);
    for (let partition = 1; partition <= row.partitions; partition++) {
      const stream = `${internal(row.name)}$${partition}`;
      const { retentionType: type, retentionValue: value } = row;
      const reply = await this.#api(`STREAM.CREATE.${stream}`, {
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

  #makeDefault(name: string): Promise<string> {
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

  async #destroyStation(name: string): Promise<string> {
    const wrong = nameError('Station', name);
    if (wrong !== undefined) return wrong;
    const row = this.#tables.stations.get(name);
    if (row === undefined) return 'Station  does not exist';
    this.#tables.stations.delete(name);
    for (let partition = 1; partition <= row.partitions; partition++) {
      await this.#api(`STREAM.DELETE.${internal(name)}$${partition}`);
    }
    this.#tables.members = this.#tables.members.filter((member) => member.station !== name);
    this.#tables.deadLetters = this.#tables.deadLetters.filter((letter) => letter.station !== name);
    return '';
  }

  async #createProducer(body: Json): Promise<string> {
    const found = await this.#join('producer', body);
    const told = typeof found === 'string' ? undefined : found;
    return JSON.stringify({
      schema_update: this.#schemaOf(told),
      partitions_update: { partitions_list: told === undefined ? null : listOf(told) },
      schemaverse_to_dls: told?.schemaverse ?? false,
      send_notification: this.#tables.wantsNotifications,
      station_version: told === undefined ? 0 : 2,
      station_partitions_first_functions: told === undefined ? null : {},
      error: typeof found === 'string' ? found : '',
    });
  }

  async #createConsumer(body: Json): Promise<readonly string[]> {
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
          schema_update: this.#schemaOf(found),
          partitions_update: { partitions_list: listOf(found) },
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
      const made = await this.#makeDefault(station);
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
    for (const partition of listOf(row)) {
      const stream = `${internal(row.name)}$${partition}`;
      let from: Json = { deliver_policy: last === 0 ? 'new' : 'all' };
      if (start > 1) from = { deliver_policy: 'by_start_sequence', opt_start_seq: start };
      if (last > 0) {
        const { state } = await this.#api(`STREAM.INFO.${stream}`);
        const end = isJson(state) ? Number(state.last_seq) : 0;
        from = { deliver_policy: 'by_start_sequence', opt_start_seq: Math.max(1, end - last + 1) };
      }
      const reply = await this.#api(`CONSUMER.DURABLE.CREATE.${stream}.${internal(group)}`, {
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

  async #destroyConsumer(body: Json): Promise<string> {
    const left = this.#leave('consumer', body);
    if (left === undefined) return `Consumer ${body.name} at station ${body.station_name} does not exist`;
    const { station, group } = left;
    if (this.#tables.membersOf(station, group).some(({ isActive }) => isActive)) return '';
    const row = this.#tables.stations.get(station) as StationRow;
    for (const partition of listOf(row)) {
      await this.#api(`CONSUMER.DELETE.${internal(station)}$${partition}.${internal(group)}`);
    }
    return '';
  }

  #leave(kind: 'producer' | 'consumer', body: Json) {
    const at = this.#tables.members.findIndex(
      (row) =>
        row.kind === kind &&
        row.name === String(body.name).toLowerCase() &&
        row.station === String(body.station_name).toLowerCase() &&
        row.connectionId === body.connection_id,
    );
    return at < 0 ? undefined : this.#tables.members.splice(at, 1)[0];
  }

  #createSchema(body: Json): string {
    const { name = '', type = '', schema_content: content = '' } = body as Readonly<Record<string, string>>;
    if (content === '') return 'your schema content is invalid';
    if (!/^(json|protobuf|graphql|avro)$/.test(type)) return `invalid input value for enum enum_type: "${type}"`;
    if (type === 'protobuf' && !/\bmessage\s+\w/.test(content)) this.#onViolation('protobuf text without a message');
    const known = this.#tables.schemas.get(name);
    if (known !== undefined && known.type !== type) return `${name} already exist with type - ${known.type}`;
    if (known?.versions.at(-1)?.content === content)
      return `${name} already exists in the db with the same schema content`;
    const version = { content, createdAt: new Date() };
    if (known === undefined) this.#tables.schemas.set(name, { name, type, versions: [version], active: 1 });
    else known.versions.push(version); // it waits until it is chosen, and nobody is told
    return '';
  }

  #attach(station: string, schema: string): string {
    const row = this.#tables.stations.get(station);
    if (row === undefined) {
      return schema === '' ? `station ${station} does not exist` : `memphis: Station ${station} does not exist`;
    }
    if (schema !== '' && !this.#tables.schemas.has(schema)) return `Schema ${schema} does not exist`;
    row.schema = schema;
    const push = { UpdateType: schema === '' ? 2 : 1, init: this.#schemaOf(row) };
    this.#nats.publish(`$memphis_schema_updates_${internal(station)}`, encode(JSON.stringify(push)));
    return '';
  }

  #schemaOf(row: StationRow | undefined): unknown {
    const schema = this.#tables.schemas.get(row?.schema ?? '');
    if (schema === undefined) return SCHEMA_OF_NONE;
    const content = schema.versions[schema.active - 1]?.content ?? '';
    return {
      schema_name: schema.name,
      active_version: {
        version_number: schema.active,
        descriptor: '',
        schema_content: content,
        message_struct_name: /\bmessage\s+(\w+)/.exec(content)?.[1] ?? '',
      },
      type: schema.type,
    };
  }

  async #api(subject: string, body?: Json): Promise<Json> {
    const data = encode(body === undefined ? '' : JSON.stringify(body));
    const frame = await this.#nats.request(`$JS.API.${subject}`, data, { timeoutMs: 5_000 });
    return JSON.parse(new TextDecoder().decode(frame.data)) as Json;
  }
}

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
const listOf = ({ partitions }: StationRow): number[] => Array.from({ length: partitions }, (_, index) => index + 1);
