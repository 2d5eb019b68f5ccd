/** Operations of GraphQL against the table of a schema: the rules of validation, one problem at a time. */

import type { Definition, Directive, Selection, Variable } from './graphql-document.ts';
import { checkMerging } from './graphql-merge.ts';
import { distinct, fail } from './graphql-problem.ts';
import { checkReferences, type Uses } from './graphql-references.ts';
import { checkIntrospection, checkSubscription } from './graphql-special.ts';
import { completed } from './graphql-standard.ts';
import { type GraphqlTable, get, isLeaf, nameOf, overlap } from './graphql-table.ts';
import { checkInputs, checkValue, type Use } from './graphql-values.ts';

/** A document on its way through the rules. */
interface Checking {
  readonly table: GraphqlTable;
  readonly fragments: ReadonlyMap<string, Definition>;
  /** Of the definition at hand. */
  uses: Use[];
  spreads: string[];
  /** Some name may be in a result twice. */
  mayConflict: boolean;
  isIntrospecting: boolean;
}

/**
 * Most documents are plain, and what they have no need of is not even compiled: that is half of a first message's time.
 *
 * @throws Problem the first that is found
 */
export function checkOperations(table: GraphqlTable, all: readonly Definition[]): void {
  const operations = all.filter(({ kind }) => kind !== 'fragment');
  const spreadable = all.filter(({ kind }) => kind === 'fragment');
  const lone = operations.find(({ name }) => name === '');
  if (lone !== undefined && operations.length > 1) fail('An anonymous operation must be the only one.', lone);
  distinct(operations, 'operation');
  distinct(spreadable, 'fragment');
  const fragments = new Map(spreadable.map((one) => [one.name, one]));
  const whole = completed(table);
  const checking = { table: whole, fragments, uses: [], spreads: [], mayConflict: false, isIntrospecting: false };
  const uses = new Map(all.map((one) => [one, usesOf(checking, one)]));
  checkReferences(checking, operations, uses);
  const merging = { table: whole, fragments, ids: new Map(), done: new Set<string>(), work: 0 };
  for (const operation of operations) {
    const root = rootOf(checking, operation);
    if (operation.kind === 'subscription') checkSubscription(whole, fragments, root, operation);
    if (checking.mayConflict) checkMerging(merging, root, operation.selections);
  }
  if (checking.isIntrospecting) for (const { selections } of all) checkIntrospection(fragments, selections);
}

function rootOf({ table }: Checking, { kind, at }: Definition): string {
  const root = kind === 'fragment' ? undefined : table.roots[kind];
  return root ?? fail(`The schema has no ${kind} type.`, { at });
}

/** Checks a definition by itself. */
function usesOf(checking: Checking, definition: Definition): Uses {
  const { kind, on, variables, directives, selections } = definition;
  distinct(variables, 'variable');
  for (const one of variables) checkVariable(checking, one);
  checking.uses = [];
  checking.spreads = [];
  const isFragment = kind === 'fragment';
  const parent = isFragment ? composite(checking, on, definition) : rootOf(checking, definition);
  checkDirectives(checking, directives, isFragment ? 'FRAGMENT_DEFINITION' : kind.toUpperCase());
  checkSelections(checking, selections, parent);
  return { variables: checking.uses, fragments: checking.spreads };
}

function checkVariable(checking: Checking, variable: Variable): void {
  const { type, fallback, directives } = variable;
  const row = get(checking.table.types, nameOf(type)) ?? fail('Unknown type (name) of a variable.', variable);
  if (!isLeaf(row) && row.kind !== 'input') fail(`A variable cannot be of type "${type}".`, variable);
  if (fallback !== undefined) checkValue(checking, fallback, type);
  checkDirectives(checking, directives, 'VARIABLE_DEFINITION');
}

function composite({ table }: Checking, name: string, at: { readonly at: number }): string {
  const row = get(table.types, name) ?? fail('Unknown type (name) of a fragment.', at);
  return isLeaf(row) || row.kind === 'input' ? fail(`A fragment cannot be of type "${name}".`, at) : name;
}

function checkSelections(checking: Checking, selections: readonly Selection[], parent: string): void {
  const names = new Set<string>();
  for (const one of selections) {
    // a fragment has none
    if (names.has(one.alias) || one.kind !== 'field') checking.mayConflict = true;
    names.add(one.alias);
    if (one.kind === 'field') checkField(checking, one, parent);
    else checkFragment(checking, one, parent);
  }
}

function checkFragment(checking: Checking, one: Selection, parent: string): void {
  const { table, fragments } = checking;
  const { kind, name, on, directives, selections = [] } = one;
  const isSpread = kind === 'spread';
  const type = isSpread
    ? (fragments.get(name) ?? fail('Unknown fragment (name).', one)).on
    : on === ''
      ? parent
      : composite(checking, on, one);
  if (get(table.types, type) !== undefined && !overlap(table, parent, type)) {
    fail(`A fragment of type "${type}" cannot be spread in "${parent}".`, one);
  }
  checkDirectives(checking, directives, isSpread ? 'FRAGMENT_SPREAD' : 'INLINE_FRAGMENT');
  if (isSpread) checking.spreads.push(name);
  else checkSelections(checking, selections, type);
}

function checkField(checking: Checking, field: Selection, parent: string): void {
  const { table } = checking;
  const { name, args, directives, selections } = field;
  const [type, inputs = {}] =
    (name.startsWith('__') ? metaField(checking, parent, name) : undefined) ??
    get(table.types[parent]?.fields, name) ??
    fail(`Cannot query field (name) on type "${parent}".`, field);
  checkInputs(checking, args, inputs, ['argument', `field "${parent}.${name}"`], field);
  checkDirectives(checking, directives, 'FIELD');
  const inner = nameOf(type);
  if (isLeaf(table.types[inner]) !== (selections === undefined)) {
    fail(`Field "${name}" of type "${type}" ${selections ? 'has no' : 'needs a selection of'} subfields.`, field);
  }
  if (selections !== undefined) checkSelections(checking, selections, inner);
}

/** Those that all types have, or that the queries have. */
function metaField(
  checking: Checking,
  parent: string,
  name: string,
): readonly [string, Readonly<Record<string, string>>?] | undefined {
  if (name === '__typename') return ['String!'];
  if (parent !== checking.table.roots.query) return undefined;
  checking.isIntrospecting = true;
  if (name === '__schema') return ['__Schema!'];
  return name === '__type' ? ['__Type', { name: 'String!' }] : undefined;
}

function checkDirectives(checking: Checking, directives: readonly Directive[], location: string): void {
  const seen = new Set<string>();
  for (const one of directives) {
    const { name, args } = one;
    const row = get(checking.table.directives, name) ?? fail('Unknown directive (name).', one);
    if (!row.on.includes(location)) fail(`Directive "@${name}" may not be used on ${location}.`, one);
    if (seen.has(name) && row.isRepeatable !== true) fail(`Directive "@${name}" can only be used once here.`, one);
    seen.add(name);
    checkInputs(checking, args, row.args, ['argument', `directive "@${name}"`], one);
  }
}
