/** What code that `schema compile` has written registers: one version of one schema, which costs no compiling. */

import type { CompiledSchema, SchemaType } from '../model/schema.ts';
import type { SchemaReader } from '../model/schema-reader.ts';
import { encoderOf } from './encoder.ts';
import { type PrecompiledName, register } from './precompiled-reader.ts';

export type { PrecompiledName };

/** Registers it. @returns it for the option `schema`: it reads messages also where nobody says which schema they have (pushed events) */
export const precompiled = (type: SchemaType, name: PrecompiledName, compiled: CompiledSchema): SchemaReader =>
  register(type, name, compiled, async (schema, to) => encoderOf(compiled, schema, to));
