/**
 * "./schemas/protobuf": protobuf by a table of its messages. Importing it registers the codec.
 *
 * protobufjs is loaded where a schema is made, and where nothing but its text is there; bundlers do not see it.
 *
 * @module
 */

import type { CompiledSchema, SchemaCodec, StationSchema } from '../model/schema.ts';
import { importLibrary } from './library.ts';
import { writeProto } from './proto-codec.ts';
import { readProto } from './proto-decoder.ts';
import { tableOfDescriptor } from './proto-descriptor.ts';
import { tableOfSource } from './proto-source.ts';
import { isProtoTable, type ProtoTable } from './proto-table.ts';
import { type CodecReader, registerCodec } from './reader.ts';

async function parse(schema: StationSchema): Promise<ProtoTable> {
  type Library = typeof import('protobufjs');
  const library = await importLibrary<Library & { readonly default?: Library }>('protobufjs', schema);
  return tableOfSource(library.default ?? library, schema);
}

/** The table of a schema: kept beside it since it was made, or by its descriptor, or by its text. */
export async function tableOf(schema: StationSchema): Promise<ProtoTable> {
  const { prepared, descriptor, messageName } = schema;
  if (isProtoTable(prepared)) return prepared;
  if (descriptor !== undefined && descriptor !== '') {
    return tableOfDescriptor(new Uint8Array(Buffer.from(descriptor, 'base64')), messageName);
  }
  return await parse(schema);
}

async function compile(schema: StationSchema): Promise<CompiledSchema> {
  const { name } = schema;
  const table = await tableOf(schema);
  return {
    encode: (message) => writeProto(name, table, message),
    decode: (data) => readProto(name, table, data),
  };
}

/** The codec of protobuf. */
export const protobufCodec: SchemaCodec = {
  type: 'protobuf',
  compile,
  prepare: async (schema) => ({ prepared: await parse(schema) }),
};

/** For the option `schema`, where a bare import is not wanted. */
export const protobuf: CodecReader = registerCodec(protobufCodec);
