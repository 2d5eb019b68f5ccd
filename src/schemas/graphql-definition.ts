/** Operations of GraphQL against the table of a schema: read part by part, with the rules of validation for each. */

import type { Definition, Reading, Selection, Variable } from './graphql-document.ts';
import { need, refuse, skipDescription, takeName, takeType, took } from './graphql-parse.ts';
import { note } from './graphql-problem.ts';
import { isName } from './graphql-scan.ts';
import { get, isLeaf, nameOf, overlap } from './graphql-table.ts';
import { takeInputs, takeValue } from './graphql-values.ts';

/** @throws Problem for what is no document; what breaks the schema is noted */
export function takeDefinition(reading: Reading): Definition {
  const at = reading.at;
  const isShort = reading.next === '{';
  if (!isShort) skipDescription(reading);
  const kind = isShort ? 'query' : takeName(reading);
  const isFragment = kind === 'fragment';
  if (!' fragment query mutation subscription '.includes(` ${kind} `) || (isFragment && reading.next === 'on'))
    refuse(reading);
  const name = isFragment || (!isShort && isName(reading.next)) ? takeName(reading) : '';
  if (isFragment) need(reading, 'on');
  const on = isFragment ? takeName(reading) : (reading.table.roots[kind as 'query'] ?? '');
  reading.uses = [];
  reading.spreads = [];
  const variables: Variable[] = [];
  if (!isFragment && took(reading, '(')) {
    do takeVariable(reading, variables);
    while (!took(reading, ')'));
  }
  if (isFragment) checkComposite(reading, on, at);
  else if (on === '') note(reading, `The schema has no ${kind} type.`, at);
  takeDirectives(reading, isFragment ? 'FRAGMENT_DEFINITION' : kind.toUpperCase());
  const selections = takeSelections(reading, on);
  const { uses, spreads } = reading;
  return { kind, name, on, variables, uses, spreads, selections, at };
}

function takeVariable(reading: Reading, variables: Variable[]): void {
  skipDescription(reading);
  const at = reading.at;
  need(reading, '$');
  const name = takeName(reading);
  need(reading, ':');
  const type = takeType(reading);
  const row = get(reading.table.types, nameOf(type));
  if (row === undefined) note(reading, 'Unknown type (name) of a variable.', at);
  else if (!isLeaf(row) && row.kind !== 'input') note(reading, `A variable cannot be of type "${type}".`, at);
  if (variables.some((one) => one.name === name)) note(reading, 'There can be only one variable of a name.', at);
  reading.isConstant = true;
  const hasDefault = took(reading, '=') && takeValue(reading, type) !== 'null';
  takeDirectives(reading, 'VARIABLE_DEFINITION');
  reading.isConstant = false;
  variables.push({ name, type, hasDefault, at });
}

function checkComposite(reading: Reading, name: string, at: number): void {
  const row = get(reading.table.types, name);
  if (row === undefined) note(reading, 'Unknown type (name) of a fragment.', at);
  else if (isLeaf(row) || row.kind === 'input') note(reading, `A fragment cannot be of type "${name}".`, at);
}

function takeSelections(reading: Reading, parent: string): readonly Selection[] {
  const all: Selection[] = [];
  const names = new Set<string>();
  need(reading, '{');
  do {
    const one = reading.next === '...' ? takeFragment(reading, parent) : takeField(reading, parent);
    // a fragment has none
    if (names.has(one.alias) || one.alias === '') reading.mayConflict = true;
    names.add(one.alias);
    all.push(one);
  } while (!took(reading, '}'));
  return all;
}

function takeFragment(reading: Reading, parent: string): Selection {
  const at = reading.at;
  need(reading, '...');
  const isTyped = took(reading, 'on');
  const name = isTyped || isName(reading.next) ? takeName(reading) : '';
  const isSpread = !isTyped && name !== '';
  if (isTyped) checkComposite(reading, name, at);
  const isConditional = takeDirectives(reading, isSpread ? 'FRAGMENT_SPREAD' : 'INLINE_FRAGMENT');
  const one = { alias: '', name, args: '', type: undefined, parent, isConditional, selections: undefined, at };
  if (isSpread) {
    reading.spreads.push(one);
    return one;
  }
  if (isTyped) checkOverlap(reading, one, name);
  const inner = name || parent;
  return { ...one, parent: inner, selections: takeSelections(reading, inner) };
}

/** A fragment where it is spread. */
export function checkOverlap(reading: Reading, { parent, at }: Selection, type: string): void {
  if (get(reading.table.types, type) === undefined || overlap(reading.table, parent, type)) return;
  note(reading, `A fragment of type "${type}" cannot be spread in "${parent}".`, at);
}

function takeField(reading: Reading, parent: string): Selection {
  const { table } = reading;
  const at = reading.at;
  const alias = takeName(reading);
  const name = took(reading, ':') ? takeName(reading) : alias;
  const meta = name.startsWith('__') ? metaField(reading, parent, name) : undefined;
  const own = get(table.types[parent]?.fields, name);
  const [type, inputs = {}] = meta ?? own ?? ['', undefined];
  if (type === '') note(reading, `Cannot query field (name) on type "${parent}".`, at);
  const args = takeInputs(reading, '(', inputs, `field "${parent}.${name}"`, at).join();
  const isConditional = takeDirectives(reading, 'FIELD');
  const inner = nameOf(type);
  const hasSelections = reading.next === '{';
  if (isLeaf(table.types[inner]) === hasSelections) {
    note(
      reading,
      `Field "${name}" of type "${type}" ${hasSelections ? 'has no' : 'needs a selection of'} subfields.`,
      at,
    );
  }
  const selections = hasSelections ? takeSelections(reading, inner) : undefined;
  return { alias, name, args, type: own?.[0], parent, isConditional, selections, at };
}

/** Those that all types have, or that the queries have. */
function metaField(
  reading: Reading,
  parent: string,
  name: string,
): readonly [string, Readonly<Record<string, string>>?] | undefined {
  if (name === '__typename') return ['String!'];
  if (parent !== reading.table.roots.query) return undefined;
  reading.isIntrospecting = true;
  if (name === '__schema') return ['__Schema!'];
  return name === '__type' ? ['__Type', { name: 'String!' }] : undefined;
}

/** @returns whether they may leave out what they stand at */
function takeDirectives(reading: Reading, location: string): boolean {
  const seen = new Set<string>();
  for (let at = reading.at; took(reading, '@'); at = reading.at) {
    const name = takeName(reading);
    const row = get(reading.table.directives, name);
    if (row === undefined) note(reading, 'Unknown directive (name).', at);
    else if (!row.on.includes(location)) note(reading, `Directive "@${name}" may not be used on ${location}.`, at);
    else if (seen.has(name) && !row.isRepeatable) note(reading, `Directive "@${name}" can only be used once here.`, at);
    seen.add(name);
    takeInputs(reading, '(', row?.args, `directive "@${name}"`, at);
  }
  return seen.has('skip') || seen.has('include');
}
