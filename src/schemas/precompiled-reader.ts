/** What code that `schema compile` has written registers: one version of one schema, which costs no compiling. */

import { MemphisError } from '../model/errors.ts';
import type { CompiledSchema, SchemaType, StationSchema } from '../model/schema.ts';
import type { SchemaReader } from '../model/schema-reader.ts';
import type { encoderOf } from './encoder.ts';
import { lookUp } from './look-up.ts';
import { registry } from './registry.ts';
import { sift } from './sift.ts';

/** Which one. */
export interface PrecompiledName {
  readonly name: string;
  readonly version: number;
}

/** Of what writes as well. Handed in, so that functions that consume hold none of it. */
interface Writing {
  readonly encode: CompiledSchema['encode'];
  readonly encoderOf: typeof encoderOf;
}

/**
 * Registers it, in front of the codecs. Few calls and no classes: each cold start pays for them.
 *
 * @param writing left out: who writes needs another module, or the codec
 * @returns it for the option `schema`: it reads messages also where nobody says which schema they have (pushed events)
 */
export function register(
  type: SchemaType,
  { name, version }: PrecompiledName,
  decode: CompiledSchema['decode'],
  writing?: Writing,
): SchemaReader {
  const compiled = { decode, encode: writing?.encode ?? (() => refuse(name)) };
  const reader: SchemaReader = {
    covers: (schema) =>
      schema === undefined || (schema.name === name && schema.type === type && schema.version === version),
    open: async () => compiled,
    encoder: async (schema, to) =>
      writing?.encoderOf(compiled, schema, to) ?? (await otherThan(reader, name, schema).encoder(schema, to)),
    sift: (batch, onInvalid) => sift(batch, compiled, onInvalid),
    prepare: async () => ({}),
  };
  registry.lookUp ??= lookUp;
  registry.readers.unshift(reader);
  return reader;
}

function refuse(name: string): never {
  const why = `Schema ${name} was compiled with --reads-only: to produce by it, compile it without.`;
  throw new MemphisError('DEPENDENCY_MISSING', why);
}

function otherThan(reader: SchemaReader, name: string, schema: StationSchema | undefined): SchemaReader {
  return registry.readers.find((one) => one !== reader && schema !== undefined && one.covers(schema)) ?? refuse(name);
}
