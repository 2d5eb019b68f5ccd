/**
 * "./schemas/reads-avro": what precompiled schemas of Avro import that are read and not written by.
 *
 * @module
 */

import type { SchemaReader } from '../model/schema-reader.ts';
import { readAvro } from './avro-codec.ts';
import { type FlatAvro, linkAvro } from './avro-flat.ts';
import { type PrecompiledName, register } from './precompiled-reader.ts';

/** Registers one version of a schema. */
export function readsAvro(which: PrecompiledName, types: FlatAvro): SchemaReader {
  const type = linkAvro(types);
  return register('avro', which, (data) => readAvro(which.name, type, data));
}
