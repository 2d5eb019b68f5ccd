/**
 * "./schemas/reads-avro": what precompiled schemas of Avro import that are read and not written by.
 *
 * @module
 */

import type { SchemaReader } from '../model/schema-reader.ts';
import { avroDecoder } from './avro-codec.ts';
import { type FlatAvro, linkAvro } from './avro-flat.ts';
import { type PrecompiledName, readsOnly } from './precompiled-reader.ts';

/** Registers one version of a schema. */
export function readsAvro(name: PrecompiledName, types: FlatAvro): SchemaReader {
  return readsOnly('avro', name, avroDecoder(name.name, linkAvro(types)));
}
