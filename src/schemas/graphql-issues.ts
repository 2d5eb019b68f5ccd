/** What is wrong with operations of GraphQL, by a table: nothing, or the first problem. */

import type { SchemaIssue } from '../model/schema-issue.ts';
import { checkOperations } from './graphql-check.ts';
import { isPlain } from './graphql-plain.ts';
import { Problem } from './graphql-problem.ts';
import type { GraphqlTable } from './graphql-table.ts';
import { type Find, MAX_TOKENS } from './graphql-text.ts';

const nothing: readonly SchemaIssue[] = [];

/** @returns what tells, by the short road first */
export const findBy =
  (table: GraphqlTable): Find =>
  (text) => {
    try {
      if (isPlain(table, text, MAX_TOKENS)) return nothing;
    } catch (error) {
      if (!(error instanceof RangeError)) throw error; // the long road tells that it is too deep
    }
    return findProblem(table, text);
  };

function findProblem(table: GraphqlTable, text: string): readonly SchemaIssue[] {
  try {
    checkOperations(table, text, MAX_TOKENS);
    return nothing;
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
