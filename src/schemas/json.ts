/**
 * "./schemas/json": JSON Schema by ajv, dialect by `$schema`. Importing it registers the codec.
 *
 * @module
 */

import type { ValidateFunction } from 'ajv';
import { parseJson } from '../model/message.ts';
import type { SchemaCodec } from '../model/schema.ts';
import { validatedJson } from './json-codec.ts';
import { makeAjv } from './json-dialects.ts';
import { type CodecReader, registerCodec } from './reader.ts';

/** The codec of JSON Schema. */
export const jsonCodec: SchemaCodec = {
  type: 'json',
  compile: ({ name, source }) => {
    const schema = parseJson(source, 'Its text'); // the parser's own words would quote it
    let all: ValidateFunction | undefined;
    return validatedJson(name, makeAjv(schema, false), () => {
      all ??= makeAjv(schema, true);
      return all;
    });
  },
};

/** For the option `schema`, where a bare import is not wanted. */
export const json: CodecReader = registerCodec(jsonCodec);
