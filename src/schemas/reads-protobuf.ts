/**
 * "./schemas/reads-protobuf": what precompiled schemas of protobuf import that are read and not written by.
 *
 * @module
 */

import type { SchemaReader } from '../model/schema-reader.ts';
import { type PrecompiledName, readsOnly } from './precompiled-reader.ts';
import { protoDecoder } from './proto-decoder.ts';
import type { ProtoTable } from './proto-table.ts';

/** Registers one version of a schema. */
export function readsProtobuf(name: PrecompiledName, table: unknown): SchemaReader {
  return readsOnly('protobuf', name, protoDecoder(name.name, table as ProtoTable));
}
