/**
 * "./schemas/avro": Avro as JSON text, which is what every SDK of Memphis writes. Importing it registers the codec.
 *
 * avsc is asked where a schema is made, for a second opinion; messages are read by a tree of its types.
 *
 * @module
 */

import type { SchemaCodec } from '../model/schema.ts';
import { readAvro, writeAvro } from './avro-codec.ts';
import { parseAvro } from './avro-table.ts';
import { importLibrary } from './library.ts';
import { type CodecReader, registerCodec } from './reader.ts';

/** The codec of Avro. */
export const avroJsonCodec: SchemaCodec = {
  type: 'avro',
  compile: ({ name, source }) => {
    const type = parseAvro(source);
    return {
      encode: (message) => writeAvro(name, type, message),
      decode: (data) => readAvro(name, type, data),
    };
  },
  prepare: async (schema) => {
    parseAvro(schema.source);
    type Library = { readonly Type: { forSchema(schema: unknown): unknown } };
    const library = await importLibrary<Library & { readonly default?: Library }>('avsc', schema);
    const { Type } = library.default ?? library;
    try {
      Type.forSchema(toJson(schema.source));
    } catch (error) {
      // its words quote the schema
      throw new Error('avsc does not take it as a schema', { cause: error });
    }
    return {};
  },
};

function toJson(source: string): unknown {
  try {
    return JSON.parse(source);
  } catch {
    return source.trim();
  }
}

/** For the option `schema`, where a bare import is not wanted. */
export const avro: CodecReader = registerCodec(avroJsonCodec);
