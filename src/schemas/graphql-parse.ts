/** The text of GraphQL operations -> what they say, for precompiled schemas. Definitions of types are no operations. */

import {
  type Definition,
  type Directive,
  keyOf,
  type Named,
  type Selection,
  type Value,
  type Variable,
} from './graphql-document.ts';
import { fail } from './graphql-problem.ts';
import { isName, NO_DOCUMENT, scan } from './graphql-scan.ts';
import { keyOfString } from './graphql-string.ts';

interface Reading {
  readonly texts: readonly string[];
  readonly places: readonly number[];
  /** Of the token that comes next. */
  index: number;
}

/** @throws Problem; RangeError for what is nested too deeply */
export function parseOperations(text: string, maxTokens: number): readonly Definition[] {
  const { texts, places, fault } = scan(text, maxTokens);
  if (fault !== '') fail(fault, { at: places.at(-1) ?? 0 });
  const reading: Reading = { texts, places, index: 0 };
  const definitions: Definition[] = [];
  do definitions.push(definition(reading));
  while (reading.index < texts.length);
  return definitions;
}

const next = ({ texts, index }: Reading): string => texts[index] ?? '';
const place = ({ places, index }: Reading): number => places[index] ?? 0;
const refuse = (reading: Reading): never => fail(NO_DOCUMENT, { at: place(reading) });

/** Over the next token, where that is the one. */
function took(reading: Reading, text: string): boolean {
  const isIt = next(reading) === text;
  if (isIt) reading.index++;
  return isIt;
}

function need(reading: Reading, text: string): void {
  if (!took(reading, text)) refuse(reading);
}

function name(reading: Reading): string {
  const text = next(reading);
  if (!isName(text)) refuse(reading);
  reading.index++;
  return text;
}

/** One or more in brackets, or nothing at all. */
function list<T>(reading: Reading, open: string, close: string, read: () => T): readonly T[] {
  const all: T[] = [];
  if (!took(reading, open)) return all;
  do all.push(read());
  while (!took(reading, close));
  return all;
}

/** Which nobody reads. */
function description(reading: Reading): void {
  if (next(reading).startsWith('"')) value(reading, true);
}

function definition(reading: Reading): Definition {
  const at = place(reading);
  const isShort = next(reading) === '{';
  if (!isShort) description(reading);
  const kind = isShort ? 'query' : name(reading);
  const isFragment = kind === 'fragment';
  if (!isFragment && kind !== 'query' && kind !== 'mutation' && kind !== 'subscription')
    return fail(NO_DOCUMENT, { at });
  if (isFragment && next(reading) === 'on') refuse(reading);
  const called = isFragment || (!isShort && isName(next(reading))) ? name(reading) : '';
  if (isFragment) need(reading, 'on');
  return {
    kind,
    name: called,
    on: isFragment ? name(reading) : '',
    variables: isFragment ? [] : list(reading, '(', ')', () => variable(reading)),
    directives: directives(reading, false),
    selections: selections(reading),
    at,
  };
}

function variable(reading: Reading): Variable {
  description(reading);
  const at = place(reading);
  need(reading, '$');
  const called = name(reading);
  need(reading, ':');
  return {
    name: called,
    type: type(reading),
    fallback: took(reading, '=') ? value(reading, true) : undefined,
    directives: directives(reading, true),
    at,
  };
}

function type(reading: Reading): string {
  let written: string;
  if (took(reading, '[')) {
    written = `[${type(reading)}]`;
    need(reading, ']');
  } else written = name(reading);
  return took(reading, '!') ? `${written}!` : written;
}

function selections(reading: Reading): readonly Selection[] {
  if (next(reading) !== '{') refuse(reading);
  return list(reading, '{', '}', () => selection(reading));
}

function selection(reading: Reading): Selection {
  const at = place(reading);
  if (took(reading, '...')) return spread(reading, at);
  const alias = name(reading);
  return {
    kind: 'field',
    name: took(reading, ':') ? name(reading) : alias,
    alias,
    args: args(reading, false),
    directives: directives(reading, false),
    on: '',
    selections: next(reading) === '{' ? selections(reading) : undefined,
    at,
  };
}

function spread(reading: Reading, at: number): Selection {
  const isTyped = took(reading, 'on');
  const isNamed = !isTyped && isName(next(reading));
  return {
    kind: isNamed ? 'spread' : 'inline',
    name: isNamed ? name(reading) : '',
    alias: '',
    args: [],
    on: isTyped ? name(reading) : '',
    directives: directives(reading, false),
    selections: isNamed ? undefined : selections(reading),
    at,
  };
}

function directives(reading: Reading, isConstant: boolean): readonly Directive[] {
  const all: Directive[] = [];
  for (let at = place(reading); took(reading, '@'); at = place(reading)) {
    all.push({ name: name(reading), args: args(reading, isConstant), at });
  }
  return all;
}

const args = (reading: Reading, isConstant: boolean): readonly Named[] =>
  list(reading, '(', ')', () => named(reading, isConstant));

function named(reading: Reading, isConstant: boolean): Named {
  const at = place(reading);
  const called = name(reading);
  need(reading, ':');
  return { name: called, value: value(reading, isConstant), at };
}

function value(reading: Reading, isConstant: boolean): Value {
  const at = place(reading);
  const text = next(reading);
  const made = (kind: Value['kind'], key: string, items: Value[] = [], fields: Named[] = []): Value => ({
    kind,
    text,
    key,
    items,
    fields,
    at,
  });
  if (isName(text)) {
    reading.index++;
    return made(text === 'null' ? text : text === 'true' || text === 'false' ? 'boolean' : 'enum', text);
  }
  if (took(reading, '[')) {
    const items: Value[] = [];
    while (!took(reading, ']')) items.push(value(reading, isConstant));
    return made('list', `[${items.map(({ key }) => key).join()}]`, items);
  }
  if (took(reading, '{')) {
    const fields: Named[] = [];
    while (!took(reading, '}')) fields.push(named(reading, isConstant));
    return made('object', `{${keyOf(fields)}}`, [], fields);
  }
  if (!isConstant && took(reading, '$')) {
    const called = name(reading);
    return { ...made('variable', `$${called}`), text: called };
  }
  if (text.startsWith('"')) {
    const key = keyOfString(text) ?? refuse(reading);
    reading.index++;
    return made('string', key);
  }
  if (!/^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/.test(text)) refuse(reading);
  reading.index++;
  return made(/[.eE]/.test(text) ? 'float' : 'int', text);
}
