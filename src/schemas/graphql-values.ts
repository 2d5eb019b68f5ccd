/** Values and variables in operations of GraphQL, against the types that are wanted there. */

import type { Named, Value } from './graphql-document.ts';
import { distinct, Problem } from './graphql-problem.ts';
import {
  type GraphqlTable,
  get,
  type Inputs,
  inputOf,
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

/** Kinds of literals by the scalars of the language. */
export const literals: Readonly<Record<string, readonly string[]>> = {
  Int: ['int'],
  Float: ['int', 'float'],
  String: ['string'],
  Boolean: ['boolean'],
  ID: ['int', 'string'],
};

export class Values {
  readonly #table: GraphqlTable;
  /** Where what it meets is put. */
  uses: Use[] = [];

  constructor(table: GraphqlTable) {
    this.#table = table;
  }

  /** Arguments of a field or a directive. @throws Problem */
  args(given: readonly Named[], wanted: Inputs, owner: string, at: number): void {
    if (given.length > 1) distinct(given, 'argument');
    for (const { name, value, at: place } of given) {
      const input = get(wanted, name);
      if (input === undefined) throw new Problem(`Unknown argument (name) on ${owner}.`, place);
      const { type, hasDefault } = inputOf(input);
      this.check(value, type, hasDefault);
    }
    for (const [name, input] of Object.entries(wanted)) {
      if (isRequired(input) && !given.some((one) => one.name === name)) {
        throw new Problem(`Argument "${name}" of ${owner} is required, but it was not provided.`, at);
      }
    }
  }

  /** @throws Problem */
  check(value: Value, type: string | undefined, hasDefault = false, isOneOf = false): void {
    const { kind, at } = value;
    if (kind === 'variable') this.uses.push({ name: value.text, type, hasDefault, isOneOf, at });
    else if (type === undefined) this.#unknown(value);
    else this.#literal(value, type, type);
  }

  /** @param written the type of the place; one value is a list of it as well */
  #literal(value: Value, type: string, written: string): void {
    const { kind, at } = value;
    if (kind === 'null') {
      if (isNonNull(type)) throw new Problem(`Expected value of non-null type "${type}" not to be null.`, at);
      return;
    }
    const wanted = nullable(type);
    if (isList(wanted)) {
      if (kind !== 'list') this.#literal(value, itemOf(wanted), written);
      else for (const item of value.items) this.check(item, itemOf(wanted));
      return;
    }
    const row = this.#table.types[wanted];
    if (row?.kind === 'input') {
      this.#object(value, wanted, row.inputs ?? {}, row.isOneOf === true, written);
      return;
    }
    const isRight =
      row?.kind === 'enum'
        ? kind === 'enum' && row.values?.includes(value.text)
        : get(literals, wanted)?.includes(kind) !== false && (wanted !== 'Int' || isInt32(value.text));
    if (!isRight) throw new Problem(`Expected value of type "${type}".`, at);
    this.#unknown(value);
  }

  #object(value: Value, name: string, inputs: Inputs, isOneOf: boolean, written: string): void {
    if (value.kind !== 'object') throw new Problem(`Expected value of type "${name}" to be an object.`, value.at);
    const { fields, at } = value;
    distinct(fields, 'input field');
    for (const [field, input] of Object.entries(inputs)) {
      if (isRequired(input) && !fields.some((one) => one.name === field)) {
        throw new Problem(`Expected value of type "${name}" to include required field "${field}".`, at);
      }
    }
    for (const { name: field, value: inner, at: place } of fields) {
      const input = get(inputs, field);
      if (input === undefined)
        throw new Problem(`Expected value of type "${name}" not to include a field that it has not.`, place);
      const found = inputOf(input);
      // as the library has it: where the type is wrapped, it does not ask whether variables may be null
      this.check(inner, found.type, found.hasDefault, isOneOf && written === name);
    }
    if (isOneOf && (fields.length !== 1 || fields[0]?.value.kind === 'null')) {
      throw new Problem(`Within OneOf input "${name}", exactly one field must be given, and not be null.`, at);
    }
  }

  /** Of what a scalar of one's own holds nothing is known. */
  #unknown({ items, fields }: Value): void {
    if (items.length + fields.length === 0) return;
    distinct(fields, 'input field');
    for (const item of items) this.check(item, undefined);
    for (const field of fields) this.check(field.value, undefined);
  }

  /** @throws Problem where a variable of a type cannot stand */
  position(use: Use, type: string, hasFallback: boolean): void {
    const { type: wanted, hasDefault, isOneOf, at } = use;
    if (wanted === undefined) return;
    const isMended = isNonNull(wanted) && !isNonNull(type) && (hasFallback || hasDefault);
    if (!isSubType(this.#table, type, isMended ? nullable(wanted) : wanted)) {
      throw new Problem(`A variable of type "${type}" cannot stand where "${wanted}" is expected.`, at);
    }
    if (isOneOf && !isNonNull(type)) throw new Problem('A variable of a OneOf input must not be nullable.', at);
  }
}

/** A default stands behind the mark, and takes it away. */
const isRequired = (input: string): boolean => isNonNull(input);

const isInt32 = (text: string): boolean => Number(text) <= 0x7f_ff_ff_ff && Number(text) >= -0x80_00_00_00;
