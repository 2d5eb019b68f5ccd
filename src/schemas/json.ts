/**
 * "./schemas/json": JSON Schema by ajv, dialect by `$schema`. Importing it registers the codec.
 *
 * @module
 */

import { parseJson } from '../model/message.ts';
import type { SchemaCodec } from '../model/schema.ts';
import { readJson, writeJson } from './json-codec.ts';
import { makeAjv } from './json-dialects.ts';
import { type CodecReader, registerCodec } from './reader.ts';

/** The codec of JSON Schema. */
export const jsonCodec: SchemaCodec = {
  type: 'json',
  compile: ({ name, source }) => {
    const schema = parseJson(source, 'Its text'); // the parser's own words would quote it
    const checks = {
      name,
      first: makeAjv(schema, false),
      makeAll: () => makeAjv(schema, true),
    };
    return { encode: (message) => writeJson(checks, message), decode: (data) => readJson(checks, data) };
  },
};

/** For the option `schema`, where a bare import is not wanted. */
export const json: CodecReader = registerCodec(jsonCodec);
