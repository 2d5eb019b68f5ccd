/**
 * Whether fields of one name in a result are one field: the same field of the same arguments wherever objects may be of
 * both types, and values of one shape everywhere. All fields of a name are looked at together, which takes less than
 * pairs of them do.
 */

import { type Definition, keyOf, type Selection } from './graphql-document.ts';
import { fail } from './graphql-problem.ts';
import { type GraphqlTable, get, isLeaf, nameOf } from './graphql-table.ts';

/** A field of a selection, and where it stands. */
interface Entry {
  readonly field: Selection;
  /** The type around it; absent within what the language itself defines. */
  readonly parent: string | undefined;
  readonly type: string | undefined;
}

/** By the name in the result, each field once. */
type Groups = Map<string, Map<Selection, Entry>>;

/** What is known of a document. */
export interface Merging {
  readonly table: GraphqlTable;
  readonly fragments: ReadonlyMap<string, Definition>;
  readonly ids: Map<Selection, number>;
  readonly done: Set<string>;
  work: number;
}

/** More than sensible documents need by far. */
const MAX_WORK = 200_000;

/** An operation; fragments that lead to themselves were refused before. @throws Problem */
export function checkMerging(merging: Merging, root: string, selections: readonly Selection[]): void {
  const groups: Groups = new Map();
  collect(merging, groups, new Set(), selections, root);
  checkShapes(merging, groups);
  checkFields(merging, groups);
}

function checkShapes(merging: Merging, groups: Groups): void {
  for (const group of groups.values()) {
    const entries = [...group.values()];
    const typed = entries.filter(({ type }) => type !== undefined);
    const odd = typed.find(({ type }) => shapeOf(merging, type) !== shapeOf(merging, typed[0]?.type));
    if (odd !== undefined) conflict(odd, 'they return conflicting types');
    checkInner(merging, checkShapes, 'shapes', entries);
  }
}

function checkFields(merging: Merging, groups: Groups): void {
  for (const group of groups.values()) {
    const entries = [...group.values()];
    const isObject = ({ parent = '' }: Entry): boolean => merging.table.types[parent]?.kind === 'object';
    const objects = new Set(entries.filter(isObject).map(({ parent }) => parent));
    // what is of no object meets all of them, or itself where there are none
    for (const object of objects.size === 0 ? [undefined] : objects) {
      const set = entries.filter((one) => one.parent === object || !isObject(one));
      for (const one of set) {
        const [{ field } = one] = set;
        if (one.field.name !== field.name) conflict(one, 'they are different fields');
        if (keyOf(one.field.args) !== keyOf(field.args)) conflict(one, 'they have differing arguments');
      }
      checkInner(merging, checkFields, 'fields', set);
    }
  }
}

/** What fields of one name select, together; each set of them once. */
function checkInner(
  merging: Merging,
  check: (merging: Merging, groups: Groups) => void,
  rule: string,
  entries: readonly Entry[],
): void {
  const { ids, done } = merging;
  const groups: Groups = new Map();
  const spread = new Set<string>();
  const key = [rule];
  for (const { field } of entries) {
    if (!ids.has(field)) ids.set(field, ids.size);
    key.push(String(ids.get(field)));
  }
  const known = key.sort().join();
  if (done.has(known)) return;
  done.add(known);
  for (const { field, type } of entries) {
    collect(merging, groups, spread, field.selections ?? [], type && nameOf(type));
  }
  check(merging, groups);
}

/** Puts what is selected to its names. @param spread fragments that are in there already */
function collect(
  merging: Merging,
  groups: Groups,
  spread: Set<string>,
  selections: readonly Selection[],
  parent: string | undefined,
): void {
  for (const field of selections) {
    merging.work += 1;
    if (merging.work > MAX_WORK) fail('It is too complex.', field);
    const { kind, name, alias, on } = field;
    if (kind === 'inline') collect(merging, groups, spread, field.selections ?? [], on || parent);
    else if (kind === 'spread') {
      const fragment = spread.has(name) ? undefined : merging.fragments.get(name);
      spread.add(name);
      if (fragment !== undefined) collect(merging, groups, spread, fragment.selections, fragment.on);
    } else {
      const group = groups.get(alias) ?? new Map<Selection, Entry>();
      groups.set(alias, group);
      const [type] = get(merging.table.types[parent ?? '']?.fields, name) ?? [];
      if (!group.has(field)) group.set(field, { field, parent, type });
    }
  }
}

/** Types of one shape have one text. */
function shapeOf({ table }: Merging, type = ''): string {
  const name = nameOf(type);
  return isLeaf(table.types[name]) ? type : type.replace(name, '');
}

const conflict = ({ field }: Entry, why: string): never =>
  fail(`Fields of one name in the result conflict: ${why}. Use different aliases.`, field);
