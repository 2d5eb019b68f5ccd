/** Schemas of the stand-in, and what it tells of them (memphis-wire 2.8, 7). */

import type { Json } from '../../../src/brokers/jetstream/wire/api.ts';
import type { Connection } from '../../../src/connection/port.ts';
import { encode } from './api.ts';
import { internal, type StationRow, type Tables } from './tables.ts';

export const SCHEMA_OF_NONE = {
  schema_name: '',
  active_version: { version_number: 0, descriptor: '', schema_content: '', message_struct_name: '' },
  type: '',
};

export class SchemaRequests {
  readonly #nats: Connection;
  readonly #tables: Tables;
  readonly #onViolation: (what: string) => void;

  constructor(nats: Connection, tables: Tables, onViolation: (what: string) => void) {
    this.#nats = nats;
    this.#tables = tables;
    this.#onViolation = onViolation;
  }

  create(body: Json): string {
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

  /** @param schema '' detaches */
  attach(station: string, schema: string): string {
    const row = this.#tables.stations.get(station);
    if (row === undefined) {
      return schema === '' ? `station ${station} does not exist` : `memphis: Station ${station} does not exist`;
    }
    if (schema !== '' && !this.#tables.schemas.has(schema)) return `Schema ${schema} does not exist`;
    row.schema = schema;
    const push = { UpdateType: schema === '' ? 2 : 1, init: this.of(row) };
    this.#nats.publish(`$memphis_schema_updates_${internal(station)}`, encode(JSON.stringify(push)));
    return '';
  }

  /** A station's, as answers and pushes tell it. */
  of(row: StationRow | undefined): unknown {
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
}
