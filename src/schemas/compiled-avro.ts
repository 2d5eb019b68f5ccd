/**
 * "./schemas/compiled-avro": what precompiled schemas of Avro import.
 *
 * @module
 */

import type { SchemaReader } from '../model/schema-reader.ts';
import { avroCodec } from './avro-codec.ts';
import { parseAvro } from './avro-table.ts';
import { type PrecompiledName, precompiled } from './precompiled.ts';

/** Registers one version of a schema. Its names are resolved here: types may hold themselves, which no text can. */
export function compiledAvro(name: PrecompiledName, source: string): SchemaReader {
  return precompiled('avro', name, avroCodec(name.name, parseAvro(source)));
}
