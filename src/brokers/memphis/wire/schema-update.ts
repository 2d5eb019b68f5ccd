/** A station's schema as replies and pushes tell it (memphis-wire 7.2). */

import { isJson, type Json } from '../../jetstream/wire/api.ts';

export interface StationSchema {
  readonly name: string;
  /** json, protobuf, graphql, avro. */
  readonly type: string;
  readonly version: number;
  /** The source text as it was created. */
  readonly content: string;
  /** Protobuf: base64 of a set with one file. */
  readonly descriptor: string;
  /** Protobuf: the message; may be nested or qualified. */
  readonly messageName: string;
}

/*
 * { schema_name, type, active_version: { version_number, descriptor, schema_content, message_struct_name } }
 * All empty: the station has no schema.
 */
export function parseSchema(value: unknown): StationSchema | undefined {
  if (!isJson(value) || typeof value.schema_name !== 'string' || value.schema_name === '') return undefined;
  const version: Json = isJson(value.active_version) ? value.active_version : {};
  const textOf = (key: string): string => (typeof version[key] === 'string' ? version[key] : '');
  return {
    name: value.schema_name,
    type: String(value.type ?? ''),
    version: Number(version.version_number ?? 0),
    content: textOf('schema_content'),
    descriptor: textOf('descriptor'),
    messageName: textOf('message_struct_name'),
  };
}
