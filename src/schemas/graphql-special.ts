/** Rules of GraphQL for what few documents have: subscriptions, and questions about the schema itself. */

import { type Definition, innerOf, type Selection } from './graphql-document.ts';
import { fail } from './graphql-problem.ts';
import { type GraphqlTable, isAmong } from './graphql-table.ts';

type Fragments = ReadonlyMap<string, Definition>;

/** How often lists of the introspection may be within one another. */
const MAX_INTROSPECTION = 3;

/** One field at the top, and none that could be left out. @throws Problem */
export function checkSubscription(table: GraphqlTable, fragments: Fragments, operation: Definition): void {
  const names = new Set<string>();
  const seen = new Set<readonly Selection[]>();
  const walk = (all: readonly Selection[], type: string): void => {
    if (seen.has(all) || (type !== operation.on && !isAmong(table, type, operation.on))) return;
    seen.add(all);
    for (const one of all) {
      const { name, alias, parent, selections } = one;
      if (one.isConditional) fail('A subscription must not use "@skip" or "@include" at its top.', one);
      if (alias === '') walk(innerOf(fragments, one), selections ? parent : (fragments.get(name)?.on ?? ''));
      else if (name.startsWith('__')) fail('A subscription must not select an introspection field.', one);
      else names.add(alias);
    }
  };
  walk(operation.selections, operation.on);
  if (names.size !== 1) fail('A subscription must select one field at its top.', operation);
}

/** @throws Problem */
export function checkIntrospection(fragments: Fragments, all: readonly Selection[]): void {
  const depths = new Map<readonly Selection[], number>();
  /** How many lists of the introspection are within one another. */
  const depthOf = (one: Selection): number => {
    const inner = innerOf(fragments, one);
    const depth = depths.get(inner) ?? inner.reduce((deepest, each) => Math.max(deepest, depthOf(each)), 0);
    depths.set(inner, depth);
    return one.alias !== '' && ' fields interfaces possibleTypes inputFields '.includes(` ${one.name} `)
      ? depth + 1
      : depth;
  };
  const walk = (selections: readonly Selection[] = []): void => {
    for (const one of selections) {
      if (one.alias === '' || (one.name !== '__schema' && one.name !== '__type')) walk(one.selections);
      else if (depthOf(one) >= MAX_INTROSPECTION) fail('Maximum introspection depth exceeded.', one);
    }
  };
  walk(all);
}
