/**
 * "./schemas/compiled-json": what precompiled JSON Schemas import.
 *
 * @module
 */

import type { SchemaReader } from '../model/schema-reader.ts';
import { encoderOf } from './encoder.ts';
import { readJson, type Validate, writeJson } from './json-codec.ts';
import { type PrecompiledName, register } from './precompiled-reader.ts';

export { allUnique, isEqual, lengthOf, step } from './json-helpers.ts';

/** Registers one version of a schema. */
export function compiledJson(which: PrecompiledName, first: Validate, makeAll: () => Validate): SchemaReader {
  const checks = { name: which.name, first, makeAll };
  const encode = (message: unknown): Uint8Array => writeJson(checks, message);
  return register('json', which, (data) => readJson(checks, data), { encode, encoderOf });
}
