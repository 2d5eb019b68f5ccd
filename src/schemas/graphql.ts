/**
 * "./schemas/graphql": operations of GraphQL, checked against the schema of a station by the package `graphql`.
 * Importing it registers the codec.
 *
 * @module
 */

import { assertValidSchema, buildSchema } from 'graphql';
import type { SchemaCodec } from '../model/schema.ts';
import { graphqlCodec as codecOf } from './graphql-codec.ts';
import { type CodecReader, registerCodec } from './reader.ts';

/** The codec of GraphQL. */
export const graphqlCodec: SchemaCodec = {
  type: 'graphql',
  compile: ({ name, source }) => {
    const schema = buildSchema(source);
    assertValidSchema(schema);
    return codecOf(name, schema);
  },
};

/** For the option `schema`, where a bare import is not wanted. */
export const graphql: CodecReader = registerCodec(graphqlCodec);
