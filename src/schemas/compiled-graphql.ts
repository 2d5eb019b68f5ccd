/**
 * "./schemas/compiled-graphql": what precompiled schemas of GraphQL import. It has a parser and rules of its own, since
 * loading `graphql` takes a cold start a hundred milliseconds (decision 022).
 *
 * @module
 */

import type { SchemaReader } from '../model/schema-reader.ts';
import { findBy } from './graphql-issues.ts';
import type { GraphqlTable } from './graphql-table.ts';
import { graphqlMessages } from './graphql-text.ts';
import { type PrecompiledName, precompiled } from './precompiled.ts';

/** Registers one version of a schema. */
export function compiledGraphql(name: PrecompiledName, table: GraphqlTable): SchemaReader {
  const print = (): never => {
    throw new Error('it was parsed without locations, and only the package graphql prints it: give its text');
  };
  return precompiled('graphql', name, graphqlMessages(name.name, findBy(table), print));
}
