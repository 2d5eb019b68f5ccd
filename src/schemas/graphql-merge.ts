/**
 * Whether fields of one name in a result are one field: the same field of the same arguments wherever objects may be of
 * both types, and values of one shape everywhere. All fields of a name are looked at together, which takes less than
 * pairs of them do.
 */

import { type Definition, keyOf, type Selection } from './graphql-document.ts';
import { Problem } from './graphql-problem.ts';
import { type GraphqlTable, get, isLeaf, nameOf } from './graphql-table.ts';

/** A field of a selection, and where it stands. */
interface Entry {
  readonly field: Selection;
  /** The type around it; absent within what the language itself defines. */
  readonly parent: string | undefined;
  readonly type: string | undefined;
}

/** By the name in the result, each field once. */
type Groups = ReadonlyMap<string, readonly Entry[]>;

/** More than sensible documents need by far. */
const MAX_WORK = 200_000;

export class Merging {
  readonly #table: GraphqlTable;
  readonly #fragments: ReadonlyMap<string, Definition>;
  readonly #ids = new Map<Selection, number>();
  readonly #done = new Set<string>();
  #work = 0;

  constructor(table: GraphqlTable, fragments: ReadonlyMap<string, Definition>) {
    this.#table = table;
    this.#fragments = fragments;
  }

  /** An operation; fragments that lead to themselves were refused before. @throws Problem */
  check(root: string, selections: readonly Selection[]): void {
    const groups = this.#collect([{ selections, parent: root }]);
    this.#shapes(groups);
    this.#fields(groups);
  }

  #shapes(groups: Groups): void {
    for (const entries of groups.values()) {
      const typed = entries.filter(({ type }) => type !== undefined);
      const shape = this.#shapeOf(typed[0]?.type);
      const odd = typed.find(({ type }) => this.#shapeOf(type) !== shape);
      if (odd !== undefined) throw conflict(odd, 'they return conflicting types');
      this.#inner('shapes', entries, (inner) => this.#shapes(inner));
    }
  }

  #fields(groups: Groups): void {
    for (const entries of groups.values()) {
      const objects = new Set(entries.map(({ parent }) => parent).filter((name) => this.#isObject(name)));
      const others = entries.filter(({ parent }) => !this.#isObject(parent));
      const sets =
        objects.size === 0
          ? [others]
          : [...objects].map((name) => [...entries.filter(({ parent }) => parent === name), ...others]);
      for (const set of sets) {
        const [first] = set;
        for (const one of set) {
          if (one.field.name !== first?.field.name) throw conflict(one, 'they are different fields');
          if (keyOf(one.field.args) !== keyOf(first.field.args)) throw conflict(one, 'they have differing arguments');
        }
        this.#inner('fields', set, (inner) => this.#fields(inner));
      }
    }
  }

  /** What fields of one name select, together; each set of them once. */
  #inner(rule: string, entries: readonly Entry[], check: (groups: Groups) => void): void {
    const places = entries.flatMap(({ field: { selections }, type }) =>
      selections === undefined ? [] : [{ selections, parent: type === undefined ? undefined : nameOf(type) }],
    );
    if (places.length === 0) return;
    const ids = entries.map(({ field }) => this.#idOf(field)).sort((a, b) => a - b);
    const key = `${rule} ${ids.join()}`;
    if (this.#done.has(key)) return;
    this.#done.add(key);
    check(this.#collect(places));
  }

  #collect(
    places: readonly { readonly selections: readonly Selection[]; readonly parent: string | undefined }[],
  ): Groups {
    const groups = new Map<string, Entry[]>();
    const seen = new Set<Selection>();
    const spread = new Set<string>();
    const walk = (selections: readonly Selection[], parent: string | undefined): void => {
      for (const field of selections) {
        this.#work += 1;
        if (this.#work > MAX_WORK) throw new Problem('It is too complex.', field.at);
        if (field.kind === 'inline') walk(field.selections ?? [], field.on === '' ? parent : field.on);
        else if (field.kind === 'spread') {
          const fragment = this.#fragments.get(field.name);
          if (fragment === undefined || spread.has(field.name)) continue;
          spread.add(field.name);
          walk(fragment.selections, fragment.on);
        } else if (!seen.has(field)) {
          seen.add(field);
          const row = parent === undefined ? undefined : this.#table.types[parent];
          const entry = { field, parent, type: get(row?.fields, field.name)?.[0] };
          const group = groups.get(field.alias);
          if (group === undefined) groups.set(field.alias, [entry]);
          else group.push(entry);
        }
      }
    };
    for (const { selections, parent } of places) walk(selections, parent);
    return groups;
  }

  /** Types of one shape have one text. */
  #shapeOf(type = ''): string {
    const name = nameOf(type);
    return isLeaf(this.#table.types[name]) ? type : type.replace(name, '');
  }

  #isObject(name: string | undefined): boolean {
    return name !== undefined && this.#table.types[name]?.kind === 'object';
  }

  #idOf(field: Selection): number {
    const id = this.#ids.get(field) ?? this.#ids.size;
    this.#ids.set(field, id);
    return id;
  }
}

const conflict = ({ field }: Entry, why: string): Problem =>
  new Problem(`Fields of one name in the result conflict: ${why}. Use different aliases.`, field.at);
