/** What code that `schema compile` has written registers: one version of one schema, which costs no compiling. */

import type { Batch } from '../model/batch.ts';
import type { CompiledSchema, SchemaType, StationSchema } from '../model/schema.ts';
import type { OnInvalid, SchemaReader, Sifted } from '../model/schema-reader.ts';
import { encoderOf } from './encoder.ts';
import { registerPrecompiled, sift } from './reader.ts';

/** Which one. */
export interface PrecompiledName {
  readonly name: string;
  readonly version: number;
}

/** Registers it. @returns it for the option `schema`: it reads messages also where nobody says which schema they have (pushed events) */
export function precompiled(
  type: SchemaType,
  { name, version }: PrecompiledName,
  compiled: CompiledSchema,
): SchemaReader {
  registerPrecompiled({ name, type, version, ...compiled });
  const isThis = (schema: StationSchema): boolean =>
    schema.name === name && schema.type === type && schema.version === version;
  return {
    covers: (schema) => schema === undefined || isThis(schema),
    open: async () => compiled,
    encoder: async (schema, to) => encoderOf(compiled, schema, to),
    sift: (batch: Batch, onInvalid: OnInvalid): Promise<Sifted> => sift(batch, compiled, onInvalid),
    prepare: async () => ({}),
  };
}
