/**
 * "./schemas/compiled-graphql": what precompiled schemas of GraphQL import. It has a parser and rules of its own, since
 * loading `graphql` takes a cold start a hundred milliseconds (decision 022).
 *
 * @module
 */

import type { SchemaReader } from '../model/schema-reader.ts';
import { encoderOf } from './encoder.ts';
import { decoderBy, findBy } from './graphql-issues.ts';
import type { GraphqlTable } from './graphql-table.ts';
import { writeGraphql } from './graphql-text.ts';
import { type PrecompiledName, register } from './precompiled-reader.ts';

/** Registers one version of a schema. */
export function compiledGraphql(which: PrecompiledName, table: GraphqlTable): SchemaReader {
  const { name } = which;
  const encode = (message: unknown): Uint8Array => writeGraphql(name, findBy(table), refuse, message);
  return register('graphql', which, decoderBy(name, table), { encode, encoderOf });
}

function refuse(): never {
  throw new Error('it was parsed without locations, and only the package graphql prints it: give its text');
}
