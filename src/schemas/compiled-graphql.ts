/**
 * "./schemas/compiled-graphql": what precompiled schemas of GraphQL import. It needs `graphql` all the same: what is
 * saved is parsing and checking the schema.
 *
 * @module
 */

import { buildASTSchema, type DocumentNode } from 'graphql';
import type { SchemaReader } from '../model/schema-reader.ts';
import { graphqlCodec } from './graphql-codec.ts';
import { type PrecompiledName, precompiled } from './precompiled.ts';

/** Registers one version of a schema. */
export function compiledGraphql(name: PrecompiledName, document: unknown): SchemaReader {
  const schema = buildASTSchema(document as DocumentNode, { assumeValid: true, assumeValidSDL: true });
  return precompiled('graphql', name, graphqlCodec(name.name, schema));
}
