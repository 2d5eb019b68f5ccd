/** Precompiled schemas for whoever reads by them: functions that consume hold nothing that writes. */

import { MemphisError } from '../model/errors.ts';
import type { CompiledSchema, SchemaType, StationSchema } from '../model/schema.ts';
import type { SchemaReader } from '../model/schema-reader.ts';
import { lookUp } from './look-up.ts';
import { registry } from './registry.ts';
import { sift } from './sift.ts';

/** Which one. */
export interface PrecompiledName {
  readonly name: string;
  readonly version: number;
}

/** Registers it, in front of the codecs. Few calls and no classes: each cold start pays for them. @param encoder left out: it writes nothing */
export function register(
  type: SchemaType,
  { name, version }: PrecompiledName,
  compiled: CompiledSchema,
  encoder?: SchemaReader['encoder'],
): SchemaReader {
  const reader: SchemaReader = {
    covers: (schema) =>
      schema === undefined || (schema.name === name && schema.type === type && schema.version === version),
    open: async () => compiled,
    encoder: encoder ?? (async (schema, to) => await otherThan(reader, name, schema).encoder(schema, to)),
    sift: (batch, onInvalid) => sift(batch, compiled, onInvalid),
    prepare: async () => ({}),
  };
  registry.lookUp ??= lookUp;
  registry.readers.unshift(reader);
  return reader;
}

/** Registers it for reading alone; who writes as well needs another module, or the codec. */
export const readsOnly = (type: SchemaType, which: PrecompiledName, decode: CompiledSchema['decode']): SchemaReader =>
  register(type, which, { encode: () => refuse(which.name), decode });

const refuse = (name: string): never => {
  const why = `Schema ${name} was compiled with --reads-only: to produce by it, compile it without.`;
  throw new MemphisError('DEPENDENCY_MISSING', why);
};

const otherThan = (reader: SchemaReader, name: string, schema: StationSchema | undefined): SchemaReader =>
  registry.readers.find((one) => one !== reader && schema !== undefined && one.covers(schema)) ?? refuse(name);
