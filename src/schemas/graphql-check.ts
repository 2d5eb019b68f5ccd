/** Operations of GraphQL against the table of a schema: the rules of validation, one problem at a time. */

import type { Definition, Directive, Selection, Variable } from './graphql-document.ts';
import { Merging } from './graphql-merge.ts';
import { distinct, Problem } from './graphql-problem.ts';
import { References, type Uses } from './graphql-references.ts';
import { checkSubscription, Introspection } from './graphql-special.ts';
import { completed } from './graphql-standard.ts';
import { type GraphqlTable, get, isComposite, isInput, isLeaf, nameOf, overlap } from './graphql-table.ts';
import { Values } from './graphql-values.ts';

/** @throws Problem the first that is found */
export function checkOperations(table: GraphqlTable, definitions: readonly Definition[]): void {
  new Check(completed(table), definitions).run();
}

class Check {
  readonly #table: GraphqlTable;
  readonly #operations: Definition[] = [];
  readonly #all: readonly Definition[];
  readonly #fragments = new Map<string, Definition>();
  readonly #values: Values;
  readonly #uses = new Map<Definition, Uses>();
  /** Some name may be in a result twice. */
  #mayConflict = false;
  #isIntrospecting = false;
  #hasVariables = false;

  constructor(table: GraphqlTable, all: readonly Definition[]) {
    this.#table = table;
    this.#all = all;
    this.#values = new Values(table);
    for (const one of all) {
      if (one.kind === 'fragment') this.#fragments.set(one.name, one);
      else this.#operations.push(one);
    }
  }

  /** Most documents are plain, and what they have no need of is not even compiled: that is half of a first message's time. */
  run(): void {
    if (this.#all.length > 1) this.#names();
    for (const one of this.#all) this.#definition(one);
    if (this.#fragments.size > 0 || this.#hasVariables) {
      new References(this.#fragments, this.#uses, this.#values).check(this.#operations);
    }
    const merging = this.#mayConflict ? new Merging(this.#table, this.#fragments) : undefined;
    for (const operation of this.#operations) {
      const root = this.#rootOf(operation);
      if (operation.kind === 'subscription') checkSubscription(this.#table, this.#fragments, root, operation);
      merging?.check(root, operation.selections);
    }
    if (!this.#isIntrospecting) return;
    const introspection = new Introspection(this.#fragments);
    for (const one of this.#all) introspection.check(one.selections);
  }

  #names(): void {
    if (this.#operations.length > 1) {
      const lone = this.#operations.find(({ name }) => name === '');
      if (lone !== undefined) throw new Problem('An anonymous operation must be the only one.', lone.at);
    }
    distinct(this.#operations, 'operation');
    distinct(
      this.#all.filter(({ kind }) => kind === 'fragment'),
      'fragment',
    );
  }

  #rootOf({ kind, at }: Definition): string {
    const root = kind === 'fragment' ? undefined : this.#table.roots[kind];
    if (root === undefined) throw new Problem(`The schema has no ${kind} type.`, at);
    return root;
  }

  #definition(definition: Definition): void {
    const { kind, on, variables, directives, selections, at } = definition;
    const fragments: string[] = [];
    if (variables.length > 0) this.#declared(variables);
    this.#values.uses = [];
    const isFragment = kind === 'fragment';
    const parent = isFragment ? this.#composite(on, at) : this.#rootOf(definition);
    if (directives.length > 0) this.#directives(directives, isFragment ? 'FRAGMENT_DEFINITION' : kind.toUpperCase());
    this.#selections(selections, parent, fragments);
    if (this.#values.uses.length > 0) this.#hasVariables = true;
    this.#uses.set(definition, { variables: this.#values.uses, fragments });
  }

  #declared(variables: readonly Variable[]): void {
    this.#hasVariables = true;
    distinct(variables, 'variable');
    for (const one of variables) this.#variable(one);
  }

  #variable({ type, fallback, directives, at }: Variable): void {
    const row = get(this.#table.types, nameOf(type));
    if (row === undefined) throw new Problem('Unknown type (name) of a variable.', at);
    if (!isInput(row)) throw new Problem(`A variable cannot be of type "${type}".`, at);
    if (fallback !== undefined) this.#values.check(fallback, type);
    this.#directives(directives, 'VARIABLE_DEFINITION');
  }

  #composite(name: string, at: number): string {
    const row = get(this.#table.types, name);
    if (row === undefined) throw new Problem('Unknown type (name) of a fragment.', at);
    if (!isComposite(row)) throw new Problem(`A fragment cannot be of type "${name}".`, at);
    return name;
  }

  #selections(selections: readonly Selection[], parent: string, fragments: string[]): void {
    const names = new Set<string>();
    for (const one of selections) {
      if (one.kind === 'field') {
        if (names.has(one.alias)) this.#mayConflict = true;
        names.add(one.alias);
        this.#field(one, parent, fragments);
      } else {
        this.#mayConflict = true;
        this.#fragment(one, parent, fragments);
      }
    }
  }

  #fragment({ kind, name, on, directives, selections, at }: Selection, parent: string, fragments: string[]): void {
    const fragment = kind === 'spread' ? this.#fragments.get(name) : undefined;
    if (kind === 'spread' && fragment === undefined) throw new Problem('Unknown fragment (name).', at);
    const type = kind === 'spread' ? (fragment?.on ?? '') : on === '' ? parent : this.#composite(on, at);
    if (get(this.#table.types, type) !== undefined && !overlap(this.#table, parent, type)) {
      throw new Problem(`A fragment of type "${type}" cannot be spread in "${parent}".`, at);
    }
    this.#directives(directives, kind === 'spread' ? 'FRAGMENT_SPREAD' : 'INLINE_FRAGMENT');
    if (kind === 'spread') fragments.push(name);
    else this.#selections(selections ?? [], type, fragments);
  }

  #field({ name, args, directives, selections, at }: Selection, parent: string, fragments: string[]): void {
    const [type, inputs] = (name.startsWith('__') ? this.#metaField(parent, name) : undefined) ??
      get(this.#table.types[parent]?.fields, name) ?? [undefined];
    if (type === undefined) throw new Problem(`Cannot query field (name) on type "${parent}".`, at);
    if (inputs !== undefined || args.length > 0) this.#values.args(args, inputs ?? {}, `field "${parent}.${name}"`, at);
    if (directives.length > 0) this.#directives(directives, 'FIELD');
    const inner = nameOf(type);
    if (isLeaf(this.#table.types[inner])) {
      if (selections !== undefined) throw new Problem(`Field "${name}" of type "${type}" has no subfields.`, at);
      return;
    }
    if (selections === undefined)
      throw new Problem(`Field "${name}" of type "${type}" needs a selection of subfields.`, at);
    this.#selections(selections, inner, fragments);
  }

  /** Those that all types have, or that the queries have. */
  #metaField(parent: string, name: string): readonly [string, Readonly<Record<string, string>>?] | undefined {
    if (name === '__typename') return ['String!'];
    if (parent !== this.#table.roots.query) return undefined;
    this.#isIntrospecting = true;
    if (name === '__schema') return ['__Schema!'];
    return name === '__type' ? ['__Type', { name: 'String!' }] : undefined;
  }

  #directives(directives: readonly Directive[], location: string): void {
    const seen = new Set<string>();
    for (const { name, args, at } of directives) {
      const row = get(this.#table.directives, name);
      if (row === undefined) throw new Problem('Unknown directive (name).', at);
      if (!row.on.includes(location)) throw new Problem(`Directive "@${name}" may not be used on ${location}.`, at);
      if (seen.has(name) && row.isRepeatable !== true) {
        throw new Problem(`Directive "@${name}" can only be used once at this location.`, at);
      }
      seen.add(name);
      this.#values.args(args, row.args, `directive "@${name}"`, at);
    }
  }
}
