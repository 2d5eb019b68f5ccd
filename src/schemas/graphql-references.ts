/** Fragments and variables of operations of GraphQL: all that are used are there, and all that are there are used. */

import type { Definition } from './graphql-document.ts';
import { fail } from './graphql-problem.ts';
import type { GraphqlTable } from './graphql-table.ts';
import { checkUse, type Use } from './graphql-values.ts';

/** What an operation or a fragment makes use of. */
export interface Uses {
  readonly variables: readonly Use[];
  readonly fragments: readonly string[];
}

/** @throws Problem */
export function checkReferences(
  { table, fragments }: { readonly table: GraphqlTable; readonly fragments: ReadonlyMap<string, Definition> },
  operations: readonly Definition[],
  uses: ReadonlyMap<Definition, Uses>,
): void {
  const next = (one: Definition): Definition[] =>
    (uses.get(one)?.fragments ?? []).flatMap((name) => fragments.get(name) ?? []);
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
      for (const use of uses.get(one)?.variables ?? []) {
        const variable = variables.find(({ name }) => name === use.name) ?? fail('A variable is not defined.', use);
        checkUse(table, use, variable);
        left.delete(variable);
      }
    }
    for (const one of left) fail('A variable is never used.', one);
  }
  for (const one of unused) fail('A fragment is never used.', one);
}
