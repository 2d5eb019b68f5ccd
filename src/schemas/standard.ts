/**
 * "./schemas/standard": any Standard Schema validator (zod, valibot, arktype, ...) for a station of one's own. Messages
 * are JSON. It registers nothing: hand it in as the option `schema`. And codecs of one's own, in place of ours.
 *
 * @module
 */

import type { Batch } from '../model/batch.ts';
import type { CompiledSchema, SchemaCodec } from '../model/schema.ts';
import type { OnInvalid, SchemaReader, Sifted } from '../model/schema-reader.ts';
import type { StandardSchema } from '../model/standard-schema.ts';
import { encoderOf } from './encoder.ts';
import { NotJson, parseJsonBytes, toJsonMessage } from './json-text.ts';
import { lookUp } from './look-up.ts';
import { registerCodec } from './reader.ts';
import { registry } from './registry.ts';
import { sift } from './sift.ts';
import { toIssues } from './standard-issues.ts';
import { violation, wrongInput } from './violation.ts';

/**
 * Makes a validator fit for the option `schema`. It counts in place of whatever schema the station has.
 *
 * Consumers get what the validator makes of a message; what is produced is stored as it was given, when it is valid.
 *
 * @param schema may be asynchronous
 * @throws MemphisError `INVALID_MESSAGE` for what is no Standard Schema
 * @example
 * ```ts
 * export const handler = withMemphis(each<Order>(async (order) => { await bill(order); }), { schema: standard(orderSchema) });
 * ```
 */
export function standard(schema: StandardSchema): SchemaReader {
  if (typeof schema?.['~standard']?.validate !== 'function') {
    throw wrongInput('standard: give a Standard Schema validator.');
  }
  registry.lookUp ??= lookUp; // what is refused is compared with what the station says by now
  const { vendor } = schema['~standard'];
  const check = async (value: unknown): Promise<unknown> => {
    const result = await schema['~standard'].validate(value);
    const issues = toIssues(result, value);
    if (issues !== undefined) throw violation(`of ${String(vendor)}`, issues);
    return (result as { readonly value: unknown }).value;
  };
  const orViolation = <T>(run: () => T): T => {
    try {
      return run();
    } catch (error) {
      if (!(error instanceof NotJson)) throw error;
      throw violation(`of ${String(vendor)}`, [{ path: [], message: error.message }]);
    }
  };
  const compiled: CompiledSchema = {
    encode: async (message) => {
      const { data, value } = orViolation(() => toJsonMessage(message));
      await check(value);
      return data;
    },
    decode: (data) => check(orViolation(() => parseJsonBytes(data))),
  };
  return {
    covers: () => true,
    open: async () => compiled,
    encoder: async (schema, to) => encoderOf(compiled, schema, to),
    sift: (batch: Batch, onInvalid: OnInvalid): Promise<Sifted> => sift(batch, compiled, onInvalid),
    prepare: async () => ({}),
  };
}

export type { CompiledSchema, SchemaCodec, SchemaType, StationSchema } from '../model/schema.ts';

/**
 * Puts a codec of one's own, over another library for example, in the place of ours.
 *
 * @param codec says which type it reads, and makes schemas of that type ready for use
 * @returns it for the option `schema`, where it shall not count for all
 * @example
 * ```ts
 * useCodec({ type: 'json', compile: ({ source }) => fastSchema(source) });
 * ```
 */
export function useCodec(codec: SchemaCodec): SchemaReader {
  if (typeof codec?.compile !== 'function' || typeof codec.type !== 'string') {
    throw wrongInput('useCodec: give a codec with type and compile.');
  }
  return registerCodec(codec);
}
