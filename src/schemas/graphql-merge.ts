/**
 * Whether fields of one name in a result are one field: the same field of the same arguments wherever objects may be of
 * both types, and values of one shape everywhere. All fields of a name are looked at together, which takes less than
 * pairs of them do.
 */

import { type Definition, innerOf, type Selection } from './graphql-document.ts';
import { fail } from './graphql-problem.ts';
import { type GraphqlTable, isLeaf, nameOf } from './graphql-table.ts';

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

type Check = (merging: Merging, fields: Iterable<Selection>) => void;

/** An operation; fragments that lead to themselves were refused before. @throws Problem */
export function checkMerging(merging: Merging, selections: readonly Selection[]): void {
  checkNames(merging, checkShapes, [selections]);
  checkNames(merging, checkFields, [selections]);
}

/** What is selected, by the name in the result, each field once. */
function checkNames(merging: Merging, check: Check, all: Iterable<readonly Selection[]>): void {
  const groups = new Map<string, Set<Selection>>();
  const seen = new Set<readonly Selection[]>();
  const collect = (selections: readonly Selection[]): void => {
    if (seen.has(selections)) return;
    seen.add(selections);
    for (const one of selections) {
      merging.work += 1;
      if (merging.work > MAX_WORK) fail('It is too complex.', one);
      const { alias } = one;
      if (alias === '') collect(innerOf(merging.fragments, one));
      else groups.set(alias, (groups.get(alias) ?? new Set<Selection>()).add(one));
    }
  };
  for (const selections of all) collect(selections);
  for (const group of groups.values()) check(merging, group);
}

function checkShapes(merging: Merging, fields: Iterable<Selection>): void {
  let shape: string | undefined;
  for (const one of fields) {
    const { type } = one;
    if (type === undefined) continue;
    const name = nameOf(type);
    // types of one shape have one text
    const its = isLeaf(merging.table.types[name]) ? type : type.replace(name, '');
    shape ??= its;
    if (its !== shape) conflict(one, 'they return conflicting types');
  }
  checkInner(merging, checkShapes, 's', [...fields]);
}

function checkFields(merging: Merging, fields: Iterable<Selection>): void {
  const all = [...fields];
  const isObject = ({ parent }: Selection): boolean => merging.table.types[parent]?.kind === 'object';
  const objects = new Set(all.filter(isObject).map(({ parent }) => parent));
  // what is of no object meets all of them, or itself where there are none
  for (const object of objects.size === 0 ? [''] : objects) {
    const set = all.filter((one) => one.parent === object || !isObject(one));
    for (const one of set) {
      if (one.name !== set[0]?.name) conflict(one, 'they are different fields');
      if (one.args !== set[0]?.args) conflict(one, 'they have differing arguments');
    }
    checkInner(merging, checkFields, 'f', set);
  }
}

/** What fields of one name select, together; each set of them once. */
function checkInner(merging: Merging, check: Check, rule: string, fields: readonly Selection[]): void {
  const { ids, done } = merging;
  const numbers = fields.map((field) => {
    const id = ids.get(field) ?? ids.size;
    ids.set(field, id);
    return id;
  });
  const key = rule + numbers.sort();
  if (done.has(key)) return;
  done.add(key);
  checkNames(
    merging,
    check,
    fields.map((field) => innerOf(merging.fragments, field)),
  );
}

function conflict(field: Selection, why: string): never {
  return fail(`Fields of one name in the result conflict: ${why}. Use different aliases.`, field);
}
