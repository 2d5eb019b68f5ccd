/**
 * "./schemas/reads-json": what precompiled JSON Schemas import that are read and not written by.
 *
 * @module
 */

import type { SchemaReader } from '../model/schema-reader.ts';
import { readJson, type Validate } from './json-codec.ts';
import { type PrecompiledName, register } from './precompiled-reader.ts';

export { allUnique, isEqual, lengthOf, step } from './json-helpers.ts';

/** Registers one version of a schema. */
export function readsJson(which: PrecompiledName, first: Validate, makeAll: () => Validate): SchemaReader {
  const checks = { name: which.name, first, makeAll };
  return register('json', which, (data) => readJson(checks, data));
}
