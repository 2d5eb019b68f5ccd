/** Types of Avro as a list that JSON can hold: types may hold themselves, which no text can say but by numbers. */

import type { AvroField, AvroType } from './avro-table.ts';

/** A type whose parts are numbers in the list; the first one is the schema. */
export type FlatAvro = Readonly<Record<string, unknown>>[];

/** For build time. */
export function flattenAvro(root: AvroType): FlatAvro {
  const flat: FlatAvro = [];
  const numbers = new Map<AvroType, number>();
  const numberOf = (type: AvroType): number => {
    const known = numbers.get(type);
    if (known !== undefined) return known;
    const number = numbers.size;
    numbers.set(type, number); // before its parts, which may mean it
    flat[number] = {};
    flat[number] =
      type.kind === 'record'
        ? { ...type, fields: type.fields.map((field) => ({ ...field, type: numberOf(field.type) })) }
        : type.kind === 'union'
          ? { ...type, branches: type.branches.map(numberOf) }
          : 'of' in type
            ? { ...type, of: numberOf(type.of) }
            : type;
    return number;
  };
  numberOf(root);
  return flat;
}

/** Puts types in the place of their numbers, in the list itself. */
export function linkAvro(flat: FlatAvro): AvroType {
  const types = flat as { of?: unknown; branches?: unknown[]; fields?: AvroField[] }[];
  for (const type of types) {
    if (type.of !== undefined) type.of = types[type.of as number];
    if (type.branches !== undefined) type.branches = type.branches.map((one) => types[one as number]);
    for (const field of type.fields ?? []) {
      (field as { type: unknown }).type = types[field.type as unknown as number];
    }
  }
  return types[0] as AvroType;
}
