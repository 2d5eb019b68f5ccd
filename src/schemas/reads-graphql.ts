/**
 * "./schemas/reads-graphql": what precompiled schemas of GraphQL import that are read and not written by.
 *
 * @module
 */

import type { SchemaReader } from '../model/schema-reader.ts';
import { findBy } from './graphql-issues.ts';
import type { GraphqlTable } from './graphql-table.ts';
import { graphqlDecoder } from './graphql-text.ts';
import { type PrecompiledName, readsOnly } from './precompiled-reader.ts';

/** Registers one version of a schema. */
export function readsGraphql(name: PrecompiledName, table: GraphqlTable): SchemaReader {
  return readsOnly('graphql', name, graphqlDecoder(name.name, findBy(table)));
}
