/** Schemas as administration sees them: made, versioned, attached. Kept out of functions. */

import { MemphisError } from './errors.ts';
import { isList } from './fields.ts';
import type { SchemaType, StationSchema } from './schema.ts';
import { checkName } from './station.ts';

/** A schema to be made; name and type are checked, and the text compiles. */
export type NewSchema = Omit<StationSchema, 'version' | 'type'> & { readonly type: SchemaType };

/** What `createSchema` did. */
export interface CreatedSchema {
  readonly name: string;
  readonly type: SchemaType;
  /** The version that holds this text. */
  readonly version: number;
  /** Whether it was made now: the same text as the newest version's is that version. */
  readonly created: boolean;
  /** Whether it is the one in use: the first version is, later ones wait until they are chosen. */
  readonly isActive: boolean;
}

/** One version of a schema. */
export interface SchemaVersion {
  readonly version: number;
  readonly isActive: boolean;
  readonly createdAt: Date;
  readonly source: string;
  /** Of protobuf: the message that it is about. */
  readonly messageName?: string;
}

/** A schema with all its versions, oldest first. */
export interface SchemaDescription {
  readonly name: string;
  readonly type: string;
  readonly activeVersion: number;
  readonly versions: readonly SchemaVersion[];
}

/** One line of a list. */
export interface SchemaListing {
  readonly name: string;
  readonly type: string;
  readonly activeVersion: number;
}

/** The schemas of one broker. Making one does no I/O. */
export interface SchemaStore {
  /** The first version becomes active, later ones wait. @throws MemphisError `SCHEMA_CONFLICT` where it is of another type */
  create(schema: NewSchema): Promise<CreatedSchema>;
  /** @throws MemphisError `SCHEMA_NOT_FOUND`, `STATION_NOT_FOUND`, `UNSUPPORTED` for a station without settings */
  attach(schema: string, station: string): Promise<void>;
  /** No-op where nothing is attached. @throws MemphisError `STATION_NOT_FOUND`, `UNSUPPORTED` */
  detach(station: string): Promise<void>;
  list(): Promise<readonly SchemaListing[]>;
  /** @throws MemphisError `SCHEMA_NOT_FOUND` */
  describe(name: string): Promise<SchemaDescription>;
  /** Puts a version into use. @throws MemphisError `SCHEMA_NOT_FOUND` */
  activate(name: string, version: number): Promise<void>;
  /** Takes it from the stations that have it, then away. @throws MemphisError `SCHEMA_NOT_FOUND` */
  destroy(name: string): Promise<void>;
}

const types: readonly SchemaType[] = ['json', 'protobuf', 'graphql', 'avro'];

/** @throws MemphisError `INVALID_NAME`: as stations are named, in lower case, which the SDKs of Memphis insist on */
export function checkSchemaName(name: unknown): string {
  const checked = checkName('schema', name);
  if (checked === name) return checked;
  throw new MemphisError('INVALID_NAME', `The schema name ${JSON.stringify(name)} must be in lower case.`);
}

/** @throws MemphisError `INVALID_OPTION` */
export function checkSchemaType(type: unknown): SchemaType {
  if (types.some((one) => one === type)) return type as SchemaType;
  throw new MemphisError('INVALID_OPTION', `createSchema: the type must be one of ${types.join(', ')}.`, {
    option: 'type',
  });
}

/**
 * The text of a schema: as it is, bytes as UTF-8, and of JSON types an object.
 *
 * @throws MemphisError `SCHEMA_INVALID`
 */
export function toSource(type: SchemaType, source: unknown): string {
  const refuse = (why: string, cause?: unknown): never => {
    throw new MemphisError('SCHEMA_INVALID', `createSchema: the schema ${why}.`, cause === undefined ? {} : { cause });
  };
  if (typeof source === 'string') return source.trim() === '' ? refuse('is empty') : source;
  if (source instanceof Uint8Array) {
    try {
      return toSource(type, new TextDecoder('utf-8', { fatal: true }).decode(source));
    } catch (error) {
      if (error instanceof MemphisError) throw error;
      return refuse('is not UTF-8', error);
    }
  }
  const isJson = type === 'json' || type === 'avro';
  if (isJson && (isList(source) || (typeof source === 'object' && source !== null) || typeof source === 'boolean')) {
    try {
      return JSON.stringify(source);
    } catch (error) {
      return refuse('cannot be written as JSON', error);
    }
  }
  return refuse(isJson ? 'must be text, bytes or an object' : 'must be text or bytes');
}
