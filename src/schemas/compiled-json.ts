/**
 * "./schemas/compiled-json": what precompiled JSON Schemas import.
 *
 * @module
 */

import type { SchemaReader } from '../model/schema-reader.ts';
import { type Validate, validatedJson } from './json-codec.ts';
import { once } from './json-helpers.ts';
import { type PrecompiledName, precompiled } from './precompiled.ts';

export { allUnique, isEqual, lengthOf, step } from './json-helpers.ts';

/** Registers one version of a schema. */
export function compiledJson(name: PrecompiledName, first: Validate, all: () => Validate): SchemaReader {
  return precompiled('json', name, validatedJson(name.name, first, once(all)));
}
