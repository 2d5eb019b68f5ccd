/** What is wrong with operations of GraphQL, by a table: nothing, or the first problem. */

import type { CompiledSchema } from '../model/schema.ts';
import type { SchemaIssue } from '../model/schema-issue.ts';
import { checkOperations } from './graphql-check.ts';
import { isPlain } from './graphql-plain.ts';
import { Problem } from './graphql-problem.ts';
import type { GraphqlTable } from './graphql-table.ts';
import { type Find, MAX_TOKENS, readGraphql } from './graphql-text.ts';
import { readUtf8 } from './utf8.ts';

/** @param name the schema's, for error texts @returns what reads messages, by the short road where that is enough */
export const decoderBy =
  (name: string, table: GraphqlTable): CompiledSchema['decode'] =>
  (data) => {
    try {
      const text = readUtf8(data);
      if (isPlain(table, text, MAX_TOKENS)) return text;
    } catch {
      // no UTF-8, or nested too deeply: read once more below, where each has its words
    }
    return readGraphql(name, findBy(table), data);
  };

/** @returns what tells by the long road */
export const findBy =
  (table: GraphqlTable): Find =>
  (text) => {
    try {
      checkOperations(table, text, MAX_TOKENS);
      return [];
    } catch (error) {
      return [issueOf(text, error)];
    }
  };

function issueOf(text: string, error: unknown): SchemaIssue {
  if (error instanceof RangeError) return { path: [], message: 'it is nested too deeply' };
  if (!(error instanceof Problem)) throw error;
  const lines = text.slice(0, error.at).split(/\r\n|\n|\r/);
  return {
    path: [],
    message: `${error.message} (line ${lines.length}, column ${(lines.at(-1)?.length ?? 0) + 1})`,
  };
}
