/** Operations of GraphQL against the table of a schema: the rules of validation, one problem at a time. */

import { checkOverlap, takeDefinition } from './graphql-definition.ts';
import type { Definition, Reading, Use, Variable } from './graphql-document.ts';
import { checkMerging } from './graphql-merge.ts';
import { take } from './graphql-parse.ts';
import { fail, note } from './graphql-problem.ts';
import { scan } from './graphql-scan.ts';
import { checkIntrospection, checkSubscription } from './graphql-special.ts';
import { completed } from './graphql-standard.ts';
import { type GraphqlTable, isNonNull, isSubType, nullable } from './graphql-table.ts';

type Fragments = ReadonlyMap<string, Definition>;

/**
 * Most documents are plain, and what they have no need of is not even compiled: that is half of a first message's time.
 *
 * @throws Problem the first that is found; RangeError for what is nested too deeply
 */
export function checkOperations(table: GraphqlTable, text: string, maxTokens: number): void {
  const reading: Reading = {
    ...scan(text, maxTokens),
    table: mayNeedAll(text) ? completed(table) : table,
    next: '',
    at: 0,
    index: -1,
    problem: undefined,
    isConstant: false,
    uses: [],
    spreads: [],
    mayConflict: false,
    isIntrospecting: false,
  };
  take(reading);
  const all: Definition[] = [];
  do all.push(takeDefinition(reading));
  while (reading.next !== '');
  const fragments = new Map<string, Definition>();
  const operations = new Map<string, Definition>();
  for (const one of all) {
    const { kind, name, at } = one;
    const known = kind === 'fragment' ? fragments : operations;
    if (known.has(name))
      note(reading, `There can be only one ${kind === 'fragment' ? kind : 'operation'} of a name.`, at);
    known.set(name, one);
  }
  const lone = operations.get('');
  if (lone !== undefined && operations.size > 1) note(reading, 'An anonymous operation must be the only one.', lone.at);
  for (const { spreads } of all) {
    for (const one of spreads) {
      const fragment = fragments.get(one.name);
      if (fragment === undefined) note(reading, 'Unknown fragment (name).', one.at);
      else checkOverlap(reading, one, fragment.on);
    }
  }
  if (reading.problem !== undefined) throw reading.problem;
  checkReferences(reading, fragments, [...operations.values()]);
  const merging = { table: reading.table, fragments, ids: new Map(), done: new Set<string>(), work: 0 };
  for (const operation of operations.values()) {
    if (operation.kind === 'subscription') checkSubscription(reading.table, fragments, operation);
    if (reading.mayConflict) checkMerging(merging, operation.selections);
  }
  if (reading.isIntrospecting) for (const { selections } of all) checkIntrospection(fragments, selections);
}

/** Whether it may name what tables leave out: types of the introspection, and directives. */
function mayNeedAll(text: string): boolean {
  return text.includes('__') || text.includes('@');
}

/** All fragments and variables that are there are used, and none leads to itself. @throws Problem */
function checkReferences(reading: Reading, fragments: Fragments, operations: readonly Definition[]): void {
  const next = ({ spreads }: Definition): Definition[] => spreads.map(({ name }) => fragments.get(name) as Definition);
  const path = new Set<Definition>();
  const done = new Set<Definition>();
  const walk = (fragment: Definition): void => {
    if (path.has(fragment)) fail('A fragment leads to itself.', fragment);
    if (done.has(fragment)) return;
    path.add(fragment);
    next(fragment).forEach(walk);
    path.delete(fragment);
    done.add(fragment);
  };
  const unused = new Set(fragments.values());
  unused.forEach(walk);
  for (const operation of operations) {
    const { variables } = operation;
    const reached = new Set([operation]);
    const left = new Set(variables);
    for (const one of reached) {
      for (const fragment of next(one)) reached.add(fragment);
      unused.delete(one);
      for (const use of one.uses) {
        const variable = variables.find(({ name }) => name === use.name) ?? fail('A variable is not defined.', use);
        checkUse(reading.table, use, variable);
        left.delete(variable);
      }
    }
    for (const one of left) fail('A variable is never used.', one);
  }
  for (const one of unused) fail('A fragment is never used.', one);
}

/** @throws Problem where a variable cannot stand */
function checkUse(table: GraphqlTable, use: Use, { type, hasDefault }: Variable): void {
  const { type: wanted, isOneOf } = use;
  if (wanted === undefined) return;
  const isMended = isNonNull(wanted) && !isNonNull(type) && (use.hasDefault || hasDefault);
  if (!isSubType(table, type, isMended ? nullable(wanted) : wanted)) {
    fail(`A variable of type "${type}" cannot stand where "${wanted}" is expected.`, use);
  }
  if (isOneOf && !isNonNull(type)) fail('A variable of a OneOf input must not be nullable.', use);
}
