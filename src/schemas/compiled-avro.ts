/**
 * "./schemas/compiled-avro": what precompiled schemas of Avro import.
 *
 * @module
 */

import type { SchemaReader } from '../model/schema-reader.ts';
import { readAvro, writeAvro } from './avro-codec.ts';
import { type FlatAvro, linkAvro } from './avro-flat.ts';
import { encoderOf } from './encoder.ts';
import { type PrecompiledName, register } from './precompiled-reader.ts';

/** Registers one version of a schema. */
export function compiledAvro(which: PrecompiledName, types: FlatAvro): SchemaReader {
  const { name } = which;
  const type = linkAvro(types);
  const encode = (message: unknown): Uint8Array => writeAvro(name, type, message);
  return register('avro', which, (data) => readAvro(name, type, data), { encode, encoderOf });
}
