/** Rules of GraphQL for what few documents have: subscriptions, and questions about the schema itself. */

import type { Definition, Selection } from './graphql-document.ts';
import { Problem } from './graphql-problem.ts';
import { type GraphqlTable, isAmong } from './graphql-table.ts';

type Fragments = ReadonlyMap<string, Definition>;

/** How often lists of the introspection may be within one another. */
const MAX_INTROSPECTION = 3;

/** One field at the top, and none that could be left out. @throws Problem */
export function checkSubscription(
  table: GraphqlTable,
  fragments: Fragments,
  root: string,
  { selections, at }: Definition,
): void {
  const names = new Set<string>();
  const spread = new Set<string>();
  const isOf = (type: string): boolean => type === '' || type === root || isAmong(table, type, root);
  const walk = (all: readonly Selection[]): void => {
    for (const { kind, name, alias, on, directives, selections: inner = [], at: place } of all) {
      if (directives.some((one) => one.name === 'skip' || one.name === 'include')) {
        throw new Problem('A subscription must not use "@skip" or "@include" at its top.', place);
      }
      if (kind === 'inline') {
        if (isOf(on)) walk(inner);
      } else if (kind === 'spread') {
        const fragment = fragments.get(name);
        if (fragment === undefined || spread.has(name) || !isOf(fragment.on)) continue;
        spread.add(name);
        walk(fragment.selections);
      } else {
        if (name.startsWith('__')) throw new Problem('A subscription must not select an introspection field.', place);
        names.add(alias);
      }
    }
  };
  walk(selections);
  if (names.size !== 1) throw new Problem('A subscription must select one field at its top.', at);
}

export class Introspection {
  readonly #fragments: Fragments;
  readonly #depths = new Map<string, number>();

  constructor(fragments: Fragments) {
    this.#fragments = fragments;
  }

  /** @throws Problem */
  check(selections: readonly Selection[]): void {
    for (const one of selections) {
      if (one.kind === 'field' && (one.name === '__schema' || one.name === '__type')) {
        if (this.#depthOf(one) >= MAX_INTROSPECTION) throw new Problem('Maximum introspection depth exceeded.', one.at);
      } else this.check(one.selections ?? []);
    }
  }

  /** How many lists of the introspection are within one another. */
  #depthOf({ kind, name, selections }: Selection): number {
    if (kind === 'spread') {
      const known = this.#depths.get(name);
      if (known !== undefined) return known;
      const depth = this.#deepest(this.#fragments.get(name)?.selections ?? []);
      this.#depths.set(name, depth);
      return depth;
    }
    const own = kind === 'field' && /^(fields|interfaces|possibleTypes|inputFields)$/.test(name) ? 1 : 0;
    return own + this.#deepest(selections ?? []);
  }

  #deepest(selections: readonly Selection[]): number {
    return selections.reduce((deepest, one) => Math.max(deepest, this.#depthOf(one)), 0);
  }
}
