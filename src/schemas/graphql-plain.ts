/**
 * Whether a document of GraphQL is plain and right: one query or mutation of fields and literals, which are read against
 * the table as they come. Nearly all messages are, and for them the parser and the rules, ten times as long, need not even
 * be compiled: that was more than half of a first message's time (decision 022). Few functions for the same reason.
 */

import { isName } from './graphql-scan.ts';
import { type GraphqlTable, type Inputs, literals, nameOf } from './graphql-table.ts';

/** What comes next stands last. Of texts the quote alone: whatever they say is right. */
type Tokens = string[];

/**
 * Texts with escapes or in three quotes, half characters and comments are left to the parser. Tokens are cut by what is ready in the
 * engine: a regular expression, or a loop over the characters, takes a cold start three times as long.
 *
 * @returns false also for what only the parser and the rules can tell
 */
export function isPlain(table: GraphqlTable, text: string, maxTokens: number): boolean {
  const parts = text.replaceAll('\r', '\n').split('"');
  let spaced = parts.length % 2 === 1 && text.isWellFormed() && !text.includes('"""') ? '' : NO_TOKEN;
  for (let index = 0; index < parts.length; index++) {
    const part = parts[index] as string;
    spaced += index % 2 === 0 ? part : part.includes('\n') || part.includes('\\') ? NO_TOKEN : ' " ';
  }
  for (let index = 0; index < SIGNS.length; index++) {
    const sign = SIGNS[index] as string;
    spaced = spaced.replaceAll(sign, index > 3 ? ` ${sign} ` : ' ');
  }
  const tokens = spaced.split(' ').filter(Boolean).reverse();
  const { query, mutation } = table.roots;
  const kind = tokens.at(-1);
  const root = kind === '{' || kind === 'query' ? query : kind === 'mutation' ? mutation : undefined;
  if (root === undefined || tokens.length > maxTokens) return false;
  if (kind !== '{') tokens.length -= isName(tokens.at(-2) ?? '') ? 2 : 1;
  return areFields(table, tokens, root) && tokens.length === 0;
}

/** Four that mean nothing, and those that are tokens. */
const SIGNS = ',\n\t\ufeff{}()[]:';
/** Fits nowhere. */
const NO_TOKEN = ' \\ ';

function areFields(table: GraphqlTable, tokens: Tokens, parent: string): boolean {
  const seen = new Set<string>();
  if (tokens.pop() !== '{') return false;
  do {
    const alias = tokens.pop() ?? '';
    const isAlias = tokens.at(-1) === ':' && isName(alias) && tokens.pop() !== undefined;
    const field = table.types[parent]?.fields?.[isAlias ? (tokens.pop() ?? '') : alias];
    if (!Array.isArray(field) || seen.has(alias)) return false; // what all objects have is no list
    seen.add(alias);
    // by number: taking lists apart is code that goes over them
    if (field[1] !== undefined && !areInputs(table, tokens, field[1], '(', ')')) return false;
    const inner = nameOf(field[0]);
    const kind = table.types[inner]?.kind;
    if (kind !== 'scalar' && kind !== 'enum' && !areFields(table, tokens, inner)) return false;
  } while (tokens.at(-1) !== '}');
  tokens.pop();
  return true;
}

/** Arguments, which may stay away, or the fields of an object. */
function areInputs(table: GraphqlTable, tokens: Tokens, inputs: Inputs, open: string, close: string): boolean {
  const seen = new Set<string>();
  if (tokens.at(-1) === open) {
    tokens.pop();
    do {
      const name = tokens.pop() ?? '';
      const input = inputs[name];
      if (typeof input !== 'string' || seen.has(name) || tokens.pop() !== ':') return false;
      if (!isValue(table, tokens, input)) return false;
      seen.add(name);
    } while (tokens.at(-1) !== close);
    tokens.pop();
  }
  for (const name in inputs) if (inputs[name]?.endsWith('!') && !seen.has(name)) return false;
  return true;
}

function isValue(table: GraphqlTable, tokens: Tokens, type: string): boolean {
  let end = type.length;
  while ('!='.includes(type[end - 1] as string)) end--;
  const wanted = type.slice(0, end);
  const row = table.types[wanted];
  if (row?.kind === 'input') {
    return tokens.at(-1) === '{' && !row.isOneOf && areInputs(table, tokens, row.inputs ?? {}, '{', '}');
  }
  const token = tokens.pop() ?? '';
  if (row !== undefined) return row.values?.includes(token) ?? literals.includes(` ${wanted}:${kindOf(token)} `);
  return token === '[' && areItems(table, tokens, wanted.slice(1, -1));
}

function areItems(table: GraphqlTable, tokens: Tokens, type: string): boolean {
  while (tokens.at(-1) !== ']') if (!isValue(table, tokens, type)) return false;
  tokens.pop();
  return true;
}

/** '?' for none, and for numbers that are long or not as JavaScript writes them. */
function kindOf(token: string): string {
  if (token === '"') return 'string';
  return token === 'true' || token === 'false' ? 'boolean' : kindOfNumber(token);
}

function kindOfNumber(token: string): string {
  const number = Number(token);
  if (String(number) !== token || isName(token)) return '?';
  return number === (number | 0) ? 'int' : number % 1 !== 0 && Number.isFinite(number) ? 'float' : '?';
}
