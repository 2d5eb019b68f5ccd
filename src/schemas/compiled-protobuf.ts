/**
 * "./schemas/compiled-protobuf": what precompiled schemas of protobuf import.
 *
 * @module
 */

import type { SchemaReader } from '../model/schema-reader.ts';
import { type PrecompiledName, precompiled } from './precompiled.ts';
import { protoCodec } from './proto-codec.ts';
import type { ProtoTable } from './proto-table.ts';

/** Registers one version of a schema. */
export function compiledProtobuf(name: PrecompiledName, table: unknown): SchemaReader {
  return precompiled('protobuf', name, protoCodec(name.name, table as ProtoTable));
}
