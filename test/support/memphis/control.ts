/** The control plane of the stand-in: what the nine request subjects answer (memphis-wire 2, 5.2, 8). */

import { isJson } from '../../../src/brokers/jetstream/wire/api.ts';
import type { Connection } from '../../../src/connection/port.ts';
import { MemberRequests } from './member-requests.ts';
import { SchemaRequests } from './schema-requests.ts';
import { StationRequests } from './station-requests.ts';
import type { Tables } from './tables.ts';

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

export class Control {
  readonly #tables: Tables;
  readonly #onViolation: (what: string) => void;
  readonly #stations: StationRequests;
  readonly #schemas: SchemaRequests;
  readonly #members: MemberRequests;

  constructor(nats: Connection, tables: Tables, username: string, onViolation: (what: string) => void) {
    this.#tables = tables;
    this.#onViolation = onViolation;
    const stations = new StationRequests(nats, tables, username, onViolation);
    const schemas = new SchemaRequests(nats, tables, onViolation);
    this.#stations = stations;
    this.#schemas = schemas;
    this.#members = new MemberRequests(nats, tables, username, onViolation, { stations, schemas });
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
        return [await this.#stations.create(body)];
      case '$memphis_station_destructions':
        return [await this.#stations.destroy(String(body.station_name).toLowerCase())];
      case '$memphis_producer_creations':
        return [await this.#members.createProducer(body)];
      case '$memphis_consumer_creations':
        return this.#members.createConsumer(body);
      case '$memphis_producer_destructions':
        this.#members.leave('producer', body);
        return [''];
      case '$memphis_consumer_destructions':
        return [await this.#members.destroyConsumer(body)];
      case '$memphis_schema_attachments':
        return [this.#schemas.attach(String(body.station_name).toLowerCase(), String(body.name).toLowerCase())];
      case '$memphis_schema_detachments':
        return [this.#schemas.attach(String(body.station_name).toLowerCase(), '')];
      case '$memphis_schema_creations':
        return [JSON.stringify({ error: this.#schemas.create(body) })];
      default:
        return [];
    }
  }
}
