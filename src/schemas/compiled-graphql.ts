/**
 * "./schemas/compiled-graphql": what precompiled schemas of GraphQL import. It has a parser and rules of its own, since
 * loading `graphql` takes a cold start a hundred milliseconds (decision 022).
 *
 * @module
 */

import type { SchemaIssue } from '../model/schema-issue.ts';
import type { SchemaReader } from '../model/schema-reader.ts';
import { checkOperations } from './graphql-check.ts';
import { parseOperations } from './graphql-parse.ts';
import { isPlain } from './graphql-plain.ts';
import { Problem } from './graphql-problem.ts';
import type { GraphqlTable } from './graphql-table.ts';
import { graphqlMessages, MAX_TOKENS } from './graphql-text.ts';
import { type PrecompiledName, precompiled } from './precompiled.ts';

/** Registers one version of a schema. */
export function compiledGraphql(name: PrecompiledName, table: GraphqlTable): SchemaReader {
  const print = (): never => {
    throw new Error('it was parsed without locations, and only the package graphql prints it: give its text');
  };
  return precompiled(
    'graphql',
    name,
    graphqlMessages(name.name, (text) => findIssues(table, text), print),
  );
}

function findIssues(table: GraphqlTable, text: string): readonly SchemaIssue[] {
  try {
    if (!isPlain(table, text, MAX_TOKENS)) checkOperations(table, parseOperations(text, MAX_TOKENS));
    return [];
  } catch (error) {
    if (error instanceof RangeError) return [{ path: [], message: 'it is nested too deeply' }];
    if (!(error instanceof Problem)) throw error;
    return [{ path: [], message: `${error.message}${placeOf(text, error.at)}` }];
  }
}

function placeOf(text: string, at: number): string {
  const lines = text.slice(0, at).split(/\r\n|\n|\r/);
  return ` (line ${lines.length}, column ${(lines.at(-1)?.length ?? 0) + 1})`;
}
