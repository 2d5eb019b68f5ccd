/** Values and variables in operations of GraphQL, against the types that are wanted there. */

import type { Named, Value, Variable } from './graphql-document.ts';
import { distinct, fail } from './graphql-problem.ts';
import {
  type GraphqlTable,
  get,
  type Inputs,
  isList,
  isNonNull,
  isSubType,
  itemOf,
  nullable,
} from './graphql-table.ts';

/** A variable where a value of a type is wanted. */
export interface Use {
  readonly name: string;
  /** Absent where nothing is known of it: inside of scalars of one's own. */
  readonly type: string | undefined;
  readonly hasDefault: boolean;
  /** It is the one field of an input that wants exactly one. */
  readonly isOneOf: boolean;
  readonly at: number;
}

/** What values are looked at by, and where the variables that are met are put. */
export interface Values {
  readonly table: GraphqlTable;
  uses: Use[];
}

/** Kinds of literals by the scalars of the language. */
const literals: Readonly<Record<string, readonly string[]>> = {
  Int: ['int'],
  Float: ['int', 'float'],
  String: ['string'],
  Boolean: ['boolean'],
  ID: ['int', 'string'],
};

interface Owner {
  readonly at: number;
}

/** Arguments of a field or a directive, or fields of an object. @param isOneOf where exactly one is to be given @throws Problem */
export function checkInputs(
  values: Values,
  given: readonly Named[],
  wanted: Inputs,
  [what, owner]: readonly [what: string, owner: string],
  at: Owner,
  isOneOf = false,
): void {
  distinct(given, what);
  for (const one of given) {
    const input = get(wanted, one.name) ?? fail(`Unknown ${what} (name) of ${owner}.`, one);
    const hasDefault = input.endsWith('=');
    checkValue(values, one.value, hasDefault ? input.slice(0, -1) : input, hasDefault, isOneOf);
  }
  // a default stands behind the mark, and takes it away
  const isMissing = (name: string): boolean =>
    isNonNull(wanted[name] as string) && !given.some((one) => one.name === name);
  const missing = Object.keys(wanted).find(isMissing);
  if (missing !== undefined) fail(`The ${what} "${missing}" of ${owner} is required.`, at);
}

/** @throws Problem */
export function checkValue(
  values: Values,
  value: Value,
  type: string | undefined,
  hasDefault = false,
  isOneOf = false,
): void {
  const { kind, text, at } = value;
  if (kind === 'variable') values.uses.push({ name: text, type, hasDefault, isOneOf, at });
  else if (type === undefined) checkUnknown(values, value);
  else checkLiteral(values, value, type, type);
}

/** @param written the type of the place; one value is a list of it as well */
function checkLiteral(values: Values, value: Value, type: string, written: string): void {
  const { kind, text } = value;
  const wanted = nullable(type);
  if (kind === 'null') {
    if (wanted !== type) fail(`Null is no value of type "${type}".`, value);
    return;
  }
  if (isList(wanted)) {
    if (kind !== 'list') checkLiteral(values, value, itemOf(wanted), written);
    else for (const item of value.items) checkValue(values, item, itemOf(wanted));
    return;
  }
  const row = values.table.types[wanted];
  if (row?.kind === 'input') {
    if (kind !== 'object') fail(`A value of type "${wanted}" must be an object.`, value);
    const isOneOf = row.isOneOf === true;
    // as the library has it: where the type is wrapped, it does not ask whether variables may be null
    checkInputs(values, value.fields, row.inputs ?? {}, ['field', `"${wanted}"`], value, isOneOf && written === wanted);
    const isOne = value.fields.length === 1 && value.fields[0]?.value.kind !== 'null';
    if (isOneOf && !isOne) fail(`Of "${wanted}" exactly one field must be given, and not be null.`, value);
    return;
  }
  const isRight =
    row?.kind === 'enum'
      ? kind === 'enum' && row.values?.includes(text)
      : get(literals, wanted)?.includes(kind) !== false && (wanted !== 'Int' || Number(text) === (Number(text) | 0));
  if (!isRight) fail(`Expected a value of type "${wanted}".`, value);
  checkUnknown(values, value);
}

/** Of what a scalar of one's own holds nothing is known. */
function checkUnknown(values: Values, { items, fields }: Value): void {
  distinct(fields, 'field');
  for (const item of items) checkValue(values, item, undefined);
  for (const field of fields) checkValue(values, field.value, undefined);
}

/** @throws Problem where a variable cannot stand */
export function checkUse(table: GraphqlTable, use: Use, { type, fallback }: Variable): void {
  const { type: wanted, hasDefault, isOneOf } = use;
  if (wanted === undefined) return;
  const isMended = isNonNull(wanted) && !isNonNull(type) && (hasDefault || (fallback && fallback.kind !== 'null'));
  if (!isSubType(table, type, isMended ? nullable(wanted) : wanted)) {
    fail(`A variable of type "${type}" cannot stand where "${wanted}" is expected.`, use);
  }
  if (isOneOf && !isNonNull(type)) fail('A variable of a OneOf input must not be nullable.', use);
}
