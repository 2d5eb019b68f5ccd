/**
 * Whether a document of GraphQL is plain and right: one query or mutation of fields and literals, which are read against
 * the table as they come. Nearly all messages are, and for them the parser and the rules, ten times as long, need not even
 * be compiled: that was more than half of a first message's time (decision 022). Few functions for the same reason.
 */

import { isName } from './graphql-scan.ts';
import { type GraphqlTable, type Inputs, nameOf } from './graphql-table.ts';

interface Reading {
  readonly table: GraphqlTable;
  /** Of texts the quote alone: whatever they say is right. */
  readonly tokens: readonly string[];
  /** The token that comes next. */
  at: number;
}

/** @returns false also for what only the parser and the rules can tell */
export function isPlain(table: GraphqlTable, text: string, maxTokens: number): boolean {
  const tokens = tokensOf(text, maxTokens);
  const [kind = '', name = ''] = tokens;
  const { query, mutation } = table.roots;
  const root = kind === '{' || kind === 'query' ? query : kind === 'mutation' ? mutation : undefined;
  if (root === undefined) return false;
  const reading: Reading = { table, tokens, at: kind === '{' ? 0 : isName(name) ? 2 : 1 };
  return areFields(reading, root) && reading.at === tokens.length;
}

/**
 * None for what has comments, escapes, texts in three quotes, half characters or too many. By what is ready in the engine: a
 * regular expression, or a loop over the characters, takes a cold start three times as long.
 */
function tokensOf(text: string, max: number): readonly string[] {
  const parts = text.split('"');
  const isOdd = text.includes('#') || text.includes('\\') || text.includes('"""') || !text.isWellFormed();
  if (isOdd || parts.length % 2 === 0) return [];
  let spaced = ' ';
  for (let index = 0; index < parts.length; index++) {
    const part = parts[index] as string;
    if (index % 2 === 0) spaced += part;
    else if (part.includes('\n') || part.includes('\r')) return [];
    else spaced += ' " ';
  }
  for (const sign of '{}()[]:') spaced = spaced.replaceAll(sign, ` ${sign} `);
  for (const blank of ',\n\r\t\ufeff') spaced = spaced.replaceAll(blank, ' ');
  spaced += ' ';
  while (spaced.includes('  ')) spaced = spaced.replaceAll('  ', ' ');
  const tokens = spaced.slice(1, -1).split(' ', max + 1);
  return tokens.length > max ? [] : tokens;
}

function areFields(reading: Reading, parent: string): boolean {
  const { table, tokens } = reading;
  if (tokens[reading.at++] !== '{') return false;
  const seen = new Set<string>();
  do {
    const alias = tokens[reading.at] ?? '';
    if (tokens[reading.at + 1] === ':') {
      if (!isName(alias)) return false;
      reading.at += 2;
    }
    const field = table.types[parent]?.fields?.[tokens[reading.at++] ?? ''];
    if (!Array.isArray(field) || seen.has(alias)) return false; // what all objects have is no list
    seen.add(alias);
    const [type, inputs] = field;
    if (inputs !== undefined && !areInputs(reading, inputs, '(', ')')) return false;
    const inner = nameOf(type);
    const kind = table.types[inner]?.kind;
    if (kind !== 'scalar' && kind !== 'enum' && !areFields(reading, inner)) return false;
  } while (tokens[reading.at] !== '}');
  reading.at++;
  return true;
}

/** Arguments, which may stay away, or the fields of an object. */
function areInputs(reading: Reading, inputs: Inputs, open: string, close: string): boolean {
  const { tokens } = reading;
  const seen = new Set<string>();
  if (tokens[reading.at] === open) {
    for (reading.at++; tokens[reading.at] !== close; ) {
      const name = tokens[reading.at] ?? '';
      const input = inputs[name];
      if (typeof input !== 'string' || seen.has(name) || tokens[reading.at + 1] !== ':') return false;
      seen.add(name);
      reading.at += 2;
      if (!isValue(reading, input)) return false;
    }
    reading.at++;
    if (seen.size === 0 && close === ')') return false;
  }
  for (const name in inputs) if (inputs[name]?.endsWith('!') && !seen.has(name)) return false;
  return true;
}

function isValue(reading: Reading, type: string): boolean {
  let end = type.length;
  while ('!='.includes(type[end - 1] as string)) end--;
  const wanted = type.slice(0, end);
  const row = reading.table.types[wanted];
  const token = reading.tokens[reading.at] ?? '';
  if (row?.kind === 'input') return token === '{' && !row.isOneOf && areInputs(reading, row.inputs ?? {}, '{', '}');
  reading.at++;
  if (row !== undefined) return row.values?.includes(token) ?? literals.includes(` ${wanted}:${kindOf(token)} `);
  return token === '[' && areItems(reading, wanted);
}

function areItems(reading: Reading, type: string): boolean {
  while (reading.tokens[reading.at] !== ']') if (!isValue(reading, type.slice(1, -1))) return false;
  reading.at++;
  return true;
}

/** What the scalars of the language take. */
const literals = ' Int:int Float:int Float:float String:string Boolean:boolean ID:int ID:string ';

/** '?' for none, and for numbers that are long or not as JavaScript writes them. */
function kindOf(token: string): string {
  if (token === '"') return 'string';
  if (token === 'true' || token === 'false') return 'boolean';
  const number = Number(token);
  if (String(number) !== token || isName(token)) return '?';
  return number === (number | 0) ? 'int' : number % 1 !== 0 && Number.isFinite(number) ? 'float' : '?';
}
