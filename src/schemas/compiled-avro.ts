/**
 * "./schemas/compiled-avro": what precompiled schemas of Avro import.
 *
 * @module
 */

import type { SchemaReader } from '../model/schema-reader.ts';
import { avroCodec } from './avro-codec.ts';
import { type FlatAvro, linkAvro } from './avro-flat.ts';
import { type PrecompiledName, precompiled } from './precompiled.ts';

/** Registers one version of a schema. */
export function compiledAvro(name: PrecompiledName, types: FlatAvro): SchemaReader {
  return precompiled('avro', name, avroCodec(name.name, linkAvro(types)));
}
