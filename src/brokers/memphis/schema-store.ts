/** Schemas of a Memphis broker: made and attached by request, listed and chosen through its HTTP API. */

import type { Link } from '../../connection/link.ts';
import { MemphisError } from '../../model/errors.ts';
import type { StationSchemas } from '../../model/schema-look-up.ts';
import type {
  CreatedSchema,
  NewSchema,
  SchemaDescription,
  SchemaListing,
  SchemaStore,
  SchemaVersion,
} from '../../model/schema-store.ts';
import { isJson, type Json } from '../jetstream/wire/api.ts';
import type { HttpApi } from './http-api.ts';
import { CONTROL_LIMIT_MS } from './limits.ts';
import { attachSchema, detachSchema } from './wire/schema-attachment.ts';
import { createSchema } from './wire/schema-creation.ts';

export class MemphisSchemaStore implements SchemaStore {
  readonly #link: Link;
  readonly #schemas: StationSchemas;
  readonly #api: HttpApi;

  constructor(link: Link, schemas: StationSchemas, api: HttpApi) {
    this.#link = link;
    this.#schemas = schemas;
    this.#api = api;
  }

  /** The broker takes the first message of protobuf text, and no files beside it. */
  async create(schema: NewSchema): Promise<CreatedSchema> {
    if (schema.imports !== undefined) {
      throw new MemphisError('UNSUPPORTED', 'A Memphis broker takes no imports: put all into one text.', {
        option: 'imports',
      });
    }
    const connection = await this.#link.ready(Date.now() + CONTROL_LIMIT_MS);
    const created = await createSchema(connection, schema, CONTROL_LIMIT_MS);
    const { name, type } = schema;
    const { versions } = await this.describe(name);
    const newest = versions.at(-1);
    return { name, type, version: newest?.version ?? 1, created, isActive: newest?.isActive ?? true };
  }

  async attach(schema: string, station: string): Promise<void> {
    const connection = await this.#link.ready(Date.now() + CONTROL_LIMIT_MS);
    await attachSchema(connection, schema, station, CONTROL_LIMIT_MS);
    this.#schemas.forget?.();
  }

  async detach(station: string): Promise<void> {
    const connection = await this.#link.ready(Date.now() + CONTROL_LIMIT_MS);
    await detachSchema(connection, station, CONTROL_LIMIT_MS);
    this.#schemas.forget?.();
  }

  async list(): Promise<readonly SchemaListing[]> {
    const found = await this.#api.get('schemas/getAllSchemas', {});
    const rows = Array.isArray(found) ? found.filter(isJson) : [];
    return rows
      .map((row) => ({
        name: String(row.name),
        type: String(row.type),
        activeVersion: Number(row.active_version_number ?? 0),
      }))
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /* { schema_name, type, versions: [{ version_number, active, created_at, schema_content, message_struct_name }] } */
  async describe(name: string): Promise<SchemaDescription> {
    const found = await this.#api.get('schemas/getSchemaDetails', { schema_name: name });
    const details: Json = isJson(found) ? found : {};
    if (details.schema_name !== name) throw notFound(name);
    const versions = (Array.isArray(details.versions) ? details.versions.filter(isJson) : [])
      .map(toVersion)
      .sort((a, b) => a.version - b.version);
    const active = versions.find(({ isActive }) => isActive);
    return { name, type: String(details.type), activeVersion: active?.version ?? 0, versions };
  }

  async activate(name: string, version: number): Promise<void> {
    const { versions } = await this.describe(name);
    if (!versions.some((one) => one.version === version)) {
      throw new MemphisError('SCHEMA_NOT_FOUND', `Schema ${name} has no version ${version}.`);
    }
    await this.#api.put('schemas/rollBackVersion', { schema_name: name, version_number: version });
    this.#schemas.forget?.();
  }

  async destroy(name: string): Promise<void> {
    await this.describe(name);
    await this.#api.delete('schemas/removeSchema', { schema_names: [name] });
    this.#schemas.forget?.();
  }
}

function notFound(name: string): MemphisError {
  return new MemphisError('SCHEMA_NOT_FOUND', `There is no schema ${name}. Create it with createSchema first.`);
}

function toVersion(version: Json): SchemaVersion {
  const messageName = String(version.message_struct_name ?? '');
  return {
    version: Number(version.version_number),
    isActive: version.active === true,
    createdAt: new Date(String(version.created_at)),
    source: String(version.schema_content ?? ''),
    ...(messageName === '' ? {} : { messageName }),
  };
}
