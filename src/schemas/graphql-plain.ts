/**
 * Whether a document of GraphQL is plain and right: one query or mutation of fields and literals, which are read against
 * the table as they come. Nearly all messages are, and for them the parser and the rules, ten times as long, need not even
 * be compiled: that was more than half of a first message's time (decision 022). Few functions for the same reason.
 */

import { type GraphqlTable, get, type Inputs, inputOf, isLeaf, itemOf, nameOf, nullable } from './graphql-table.ts';
import { isLetter } from './graphql-tokens.ts';
import { literals } from './graphql-values.ts';

interface Reading {
  readonly table: GraphqlTable;
  readonly tokens: readonly string[];
  /** The token that comes next. */
  at: number;
}

/** @returns false also for what only the parser and the rules can tell */
export function isPlain(table: GraphqlTable, text: string, maxTokens: number): boolean {
  // names, numbers and what looks like one, texts without escapes; of all else each character, which is at the wrong place
  const tokens = text.match(/[_A-Za-z]\w*|-?\d[\w.]*|"[^"\\\n\r]*"(?!")|[^\t\n\r ,\ufeff]/g) ?? [];
  if (tokens.length > maxTokens || !text.isWellFormed()) return false;
  const reading: Reading = { table, tokens, at: 0 };
  let [kind = ''] = tokens;
  if (kind === '{') kind = 'query';
  else if (kind !== 'query' && kind !== 'mutation') return false;
  else reading.at = isLetter(tokens[1]?.charCodeAt(0) ?? 0) ? 2 : 1;
  const root = table.roots[kind as 'query' | 'mutation'];
  return root !== undefined && areFields(reading, root) && reading.at === tokens.length;
}

function areFields(reading: Reading, parent: string): boolean {
  const { table, tokens } = reading;
  if (tokens[reading.at++] !== '{') return false;
  const seen = new Set<string>();
  do {
    const alias = tokens[reading.at++] ?? '';
    let name = alias;
    if (tokens[reading.at] === ':') {
      if (!isLetter(alias.charCodeAt(0))) return false;
      name = tokens[reading.at + 1] ?? '';
      reading.at += 2;
    }
    const field = get(table.types[parent]?.fields, name);
    if (field === undefined || seen.has(alias)) return false;
    seen.add(alias);
    const [type, inputs] = field;
    if (inputs !== undefined && !areInputs(reading, inputs, '(', ')')) return false;
    const inner = nameOf(type);
    if (!isLeaf(table.types[inner]) && !areFields(reading, inner)) return false;
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
      const input = get(inputs, name);
      if (input === undefined || seen.has(name) || tokens[reading.at + 1] !== ':') return false;
      seen.add(name);
      reading.at += 2;
      if (!isValue(reading, inputOf(input).type)) return false;
    }
    reading.at++;
    if (seen.size === 0 && close === ')') return false;
  }
  for (const name in inputs) if (inputs[name]?.endsWith('!') && !seen.has(name)) return false;
  return true;
}

function isValue(reading: Reading, type: string): boolean {
  const wanted = nullable(type);
  const row = reading.table.types[wanted];
  const token = reading.tokens[reading.at] ?? '';
  if (row?.kind === 'input') {
    return token === '{' && row.isOneOf !== true && areInputs(reading, row.inputs ?? {}, '{', '}');
  }
  reading.at++;
  if (row === undefined) {
    if (token !== '[') return false;
    while (reading.tokens[reading.at] !== ']') if (!isValue(reading, itemOf(wanted))) return false;
    reading.at++;
    return true;
  }
  return row.kind === 'enum'
    ? row.values?.includes(token) === true
    : get(literals, wanted)?.includes(kindOf(token)) === true;
}

/** '' for none, and for numbers that are long or have an exponent. */
function kindOf(token: string): string {
  if (token.startsWith('"')) return token.length > 1 ? 'string' : '';
  if (token === 'true' || token === 'false') return 'boolean';
  const [all, fraction] = /^-?(?:0|[1-9]\d{0,8})(\.\d+)?$/.exec(token) ?? [];
  return all === undefined ? '' : fraction === undefined ? 'int' : 'float';
}
