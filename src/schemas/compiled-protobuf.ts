/**
 * "./schemas/compiled-protobuf": what precompiled schemas of protobuf import.
 *
 * @module
 */

import type { SchemaReader } from '../model/schema-reader.ts';
import { encoderOf } from './encoder.ts';
import { type PrecompiledName, register } from './precompiled-reader.ts';
import { writeProto } from './proto-codec.ts';
import { readProto } from './proto-decoder.ts';
import type { ProtoTable } from './proto-table.ts';

/** Registers one version of a schema. */
export function compiledProtobuf(which: PrecompiledName, given: unknown): SchemaReader {
  const { name } = which;
  const table = given as ProtoTable;
  const encode = (message: unknown): Uint8Array => writeProto(name, table, message);
  return register('protobuf', which, (data) => readProto(name, table, data), { encode, encoderOf });
}
