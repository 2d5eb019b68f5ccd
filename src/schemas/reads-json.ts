/**
 * "./schemas/reads-json": what precompiled JSON Schemas import that are read and not written by.
 *
 * @module
 */

import type { SchemaReader } from '../model/schema-reader.ts';
import { checkedJson, type Validate } from './json-codec.ts';
import { once } from './json-helpers.ts';
import { parseJsonBytes } from './json-text.ts';
import { type PrecompiledName, readsOnly } from './precompiled-reader.ts';

export { allUnique, isEqual, lengthOf, step } from './json-helpers.ts';

/** Registers one version of a schema. */
export function readsJson(name: PrecompiledName, first: Validate, all: () => Validate): SchemaReader {
  const checked = checkedJson(name.name, first, once(all));
  return readsOnly('json', name, (data) => checked(() => ({ data, value: parseJsonBytes(data) })).value);
}
