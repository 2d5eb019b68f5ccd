/** Rules of GraphQL for what few documents have: subscriptions, and questions about the schema itself. */

import type { Definition, Selection } from './graphql-document.ts';
import { fail } from './graphql-problem.ts';
import { type GraphqlTable, isAmong } from './graphql-table.ts';

type Fragments = ReadonlyMap<string, Definition>;

/** How often lists of the introspection may be within one another. */
const MAX_INTROSPECTION = 3;

/** One field at the top, and none that could be left out. @throws Problem */
export function checkSubscription(
  table: GraphqlTable,
  fragments: Fragments,
  root: string,
  operation: Definition,
): void {
  const names = new Set<string>();
  const spread = new Set<string>();
  const walk = (all: readonly Selection[], type: string): void => {
    if (type !== '' && type !== root && !isAmong(table, type, root)) return;
    for (const one of all) {
      const { kind, name, alias, on, directives, selections = [] } = one;
      if (directives.some((each) => each.name === 'skip' || each.name === 'include')) {
        fail('A subscription must not use "@skip" or "@include" at its top.', one);
      }
      if (kind === 'inline') walk(selections, on);
      else if (kind === 'spread') {
        const fragment = spread.has(name) ? undefined : fragments.get(name);
        spread.add(name);
        if (fragment !== undefined) walk(fragment.selections, fragment.on);
      } else if (name.startsWith('__')) fail('A subscription must not select an introspection field.', one);
      else names.add(alias);
    }
  };
  walk(operation.selections, root);
  if (names.size !== 1) fail('A subscription must select one field at its top.', operation);
}

/** @throws Problem */
export function checkIntrospection(fragments: Fragments, all: readonly Selection[]): void {
  const depths = new Map<string, number>();
  const deepest = (selections: readonly Selection[] = []): number =>
    selections.reduce((depth, one) => Math.max(depth, depthOf(one)), 0);
  /** How many lists of the introspection are within one another. */
  const depthOf = ({ kind, name, selections }: Selection): number => {
    if (kind !== 'spread') {
      const isList = kind === 'field' && /^(fields|interfaces|possibleTypes|inputFields)$/.test(name);
      return deepest(selections) + (isList ? 1 : 0);
    }
    const depth = depths.get(name) ?? deepest(fragments.get(name)?.selections);
    depths.set(name, depth);
    return depth;
  };
  const walk = (selections: readonly Selection[] = []): void => {
    for (const one of selections) {
      if (one.kind === 'field' && (one.name === '__schema' || one.name === '__type')) {
        if (depthOf(one) >= MAX_INTROSPECTION) fail('Maximum introspection depth exceeded.', one);
      } else walk(one.selections);
    }
  };
  walk(all);
}
