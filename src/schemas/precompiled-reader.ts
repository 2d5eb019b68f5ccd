/** Precompiled schemas for whoever reads by them: functions that consume hold nothing that writes. */

import { MemphisError } from '../model/errors.ts';
import type { CompiledSchema, SchemaType } from '../model/schema.ts';
import type { SchemaReader } from '../model/schema-reader.ts';
import { lookUp } from './look-up.ts';
import { registry } from './registry.ts';
import { sift } from './sift.ts';

/** Which one. */
export interface PrecompiledName {
  readonly name: string;
  readonly version: number;
}

/** Registers it, in front of the codecs. Few calls and no classes: each cold start pays for them. */
export function register(
  type: SchemaType,
  { name, version }: PrecompiledName,
  compiled: CompiledSchema,
  encoder: SchemaReader['encoder'],
): SchemaReader {
  const reader: SchemaReader = {
    covers: (schema) =>
      schema === undefined || (schema.name === name && schema.type === type && schema.version === version),
    open: async () => compiled,
    encoder,
    sift: (batch, onInvalid) => sift(batch, compiled, onInvalid),
    prepare: async () => ({}),
  };
  registry.lookUp ??= lookUp;
  registry.readers.unshift(reader);
  return reader;
}

/** Registers it for reading alone; who writes as well needs another module, or the codec. */
export function readsOnly(type: SchemaType, which: PrecompiledName, decode: CompiledSchema['decode']): SchemaReader {
  const refuse = (): never => {
    const why = `Schema ${which.name} was compiled with --reads-only: to produce by it, compile it without.`;
    throw new MemphisError('DEPENDENCY_MISSING', why);
  };
  const reader = register(type, which, { encode: refuse, decode }, async (schema, to) => {
    const other = registry.readers.find((one) => one !== reader && schema !== undefined && one.covers(schema));
    return await (other ?? refuse()).encoder(schema, to);
  });
  return reader;
}
