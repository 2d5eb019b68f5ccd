/** Operations of GraphQL against the table of a schema: the rules of validation, one problem at a time. */

import { Merging } from './graphql-merge.ts';
import type { Definition, Directive, Selection, Variable } from './graphql-parse.ts';
import { distinct, Problem } from './graphql-problem.ts';
import { type GraphqlTable, get, isAmong, isComposite, isInput, isLeaf, nameOf, overlap } from './graphql-table.ts';
import { type Use, Values } from './graphql-values.ts';

/** What an operation or a fragment makes use of. */
interface Uses {
  readonly variables: readonly Use[];
  readonly fragments: readonly string[];
}

/** How often lists of the introspection may be within one another. */
const MAX_INTROSPECTION = 3;

/** @throws Problem the first that is found */
export function checkOperations(table: GraphqlTable, definitions: readonly Definition[]): void {
  new Check(table, definitions).run();
}

class Check {
  readonly #table: GraphqlTable;
  readonly #operations: Definition[] = [];
  readonly #all: readonly Definition[];
  readonly #fragments = new Map<string, Definition>();
  readonly #values: Values;
  readonly #uses = new Map<Definition, Uses>();
  readonly #depths = new Map<string, number>();
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
    if (this.#fragments.size > 0 || this.#hasVariables) this.#references();
    const merging = this.#mayConflict ? new Merging(this.#table, this.#fragments) : undefined;
    for (const operation of this.#operations) {
      const root = this.#rootOf(operation);
      if (operation.kind === 'subscription') this.#subscription(root, operation);
      merging?.check(root, operation.selections);
    }
    if (this.#isIntrospecting) for (const one of this.#all) this.#introspection(one.selections);
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

  /** Fragments and variables, by way of all that makes use of them. */
  #references(): void {
    for (const fragment of this.#fragments.values()) this.#cycle(fragment, new Set(), new Set());
    const reached = new Set<Definition>();
    for (const operation of this.#operations) {
      const fragments = this.#reach(operation);
      for (const fragment of fragments) reached.add(fragment);
      this.#variables(operation, fragments);
    }
    const unused = [...this.#fragments.values()].find((fragment) => !reached.has(fragment));
    if (unused !== undefined) throw new Problem('A fragment is never used.', unused.at);
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

  /** One field at the top, and none that could be left out. */
  #subscription(root: string, { selections, at }: Definition): void {
    const names = new Set<string>();
    const spread = new Set<string>();
    const isOf = (type: string): boolean => type === '' || type === root || isAmong(this.#table, type, root);
    const walk = (all: readonly Selection[]): void => {
      for (const { kind, name, alias, on, directives, selections: inner = [], at: place } of all) {
        if (directives.some((one) => one.name === 'skip' || one.name === 'include')) {
          throw new Problem('A subscription must not use "@skip" or "@include" at its top.', place);
        }
        if (kind === 'inline') {
          if (isOf(on)) walk(inner);
        } else if (kind === 'spread') {
          const fragment = this.#fragments.get(name);
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

  #introspection(selections: readonly Selection[]): void {
    for (const one of selections) {
      if (one.kind === 'field' && (one.name === '__schema' || one.name === '__type')) {
        if (this.#depthOf(one) >= MAX_INTROSPECTION) throw new Problem('Maximum introspection depth exceeded.', one.at);
      } else this.#introspection(one.selections ?? []);
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
