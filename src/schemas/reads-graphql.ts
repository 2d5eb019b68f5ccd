/**
 * "./schemas/reads-graphql": what precompiled schemas of GraphQL import that are read and not written by.
 *
 * @module
 */

import type { SchemaReader } from '../model/schema-reader.ts';
import { decoderBy } from './graphql-issues.ts';
import type { GraphqlTable } from './graphql-table.ts';
import { type PrecompiledName, register } from './precompiled-reader.ts';

/** Registers one version of a schema. */
export function readsGraphql(which: PrecompiledName, table: GraphqlTable): SchemaReader {
  return register('graphql', which, decoderBy(which.name, table));
}
