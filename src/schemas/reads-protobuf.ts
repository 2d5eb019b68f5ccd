/**
 * "./schemas/reads-protobuf": what precompiled schemas of protobuf import that are read and not written by.
 *
 * @module
 */

import type { SchemaReader } from '../model/schema-reader.ts';
import { type PrecompiledName, register } from './precompiled-reader.ts';
import { readProto } from './proto-decoder.ts';
import type { ProtoTable } from './proto-table.ts';

/** Registers one version of a schema. */
export function readsProtobuf(which: PrecompiledName, table: unknown): SchemaReader {
  return register('protobuf', which, (data) => readProto(which.name, table as ProtoTable, data));
}
