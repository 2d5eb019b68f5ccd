/** Fragments and variables of operations of GraphQL: all that are used are there, and all that are there are used. */

import type { Definition } from './graphql-document.ts';
import { Problem } from './graphql-problem.ts';
import type { Use, Values } from './graphql-values.ts';

/** What an operation or a fragment makes use of. */
export interface Uses {
  readonly variables: readonly Use[];
  readonly fragments: readonly string[];
}

export class References {
  readonly #fragments: ReadonlyMap<string, Definition>;
  readonly #uses: ReadonlyMap<Definition, Uses>;
  readonly #values: Values;

  constructor(fragments: ReadonlyMap<string, Definition>, uses: ReadonlyMap<Definition, Uses>, values: Values) {
    this.#fragments = fragments;
    this.#uses = uses;
    this.#values = values;
  }

  /** @throws Problem */
  check(operations: readonly Definition[]): void {
    for (const fragment of this.#fragments.values()) this.#cycle(fragment, new Set(), new Set());
    const reached = new Set<Definition>();
    for (const operation of operations) {
      const fragments = this.#reach(operation);
      for (const fragment of fragments) reached.add(fragment);
      this.#variables(operation, fragments);
    }
    const unused = [...this.#fragments.values()].find((fragment) => !reached.has(fragment));
    if (unused !== undefined) throw new Problem('A fragment is never used.', unused.at);
  }

  #cycle(fragment: Definition, path: Set<Definition>, done: Set<Definition>): void {
    if (done.has(fragment)) return;
    if (path.has(fragment)) throw new Problem('A fragment leads to itself.', fragment.at);
    path.add(fragment);
    for (const next of this.#next(fragment)) this.#cycle(next, path, done);
    path.delete(fragment);
    done.add(fragment);
  }

  #next(definition: Definition): Definition[] {
    return (this.#uses.get(definition)?.fragments ?? []).flatMap((name) => this.#fragments.get(name) ?? []);
  }

  /** The fragments that an operation makes use of, by way of others too. */
  #reach(operation: Definition): ReadonlySet<Definition> {
    const reached = new Set(this.#next(operation));
    for (const fragment of reached) for (const next of this.#next(fragment)) reached.add(next);
    return reached;
  }

  #variables(operation: Definition, fragments: ReadonlySet<Definition>): void {
    const { variables } = operation;
    const uses = [operation, ...fragments].flatMap((one) => this.#uses.get(one)?.variables ?? []);
    const known = new Map(variables.map((one) => [one.name, one]));
    const used = new Set<string>();
    for (const use of uses) {
      const variable = known.get(use.name);
      if (variable === undefined) throw new Problem('A variable is not defined.', use.at);
      const { type, fallback } = variable;
      this.#values.position(use, type, fallback !== undefined && fallback.kind !== 'null');
      used.add(use.name);
    }
    const unused = variables.find(({ name }) => !used.has(name));
    if (unused !== undefined) throw new Problem('A variable is never used.', unused.at);
  }
}
