/**
 * Bytes of protobuf -> a plain value. What is no message of the table is an error; nothing is read past its end. What few
 * messages need stands in functions of its own, since a cold start pays for each line that runs.
 */

import {
  block,
  inner,
  MAX_DEPTH,
  NotProto,
  number,
  type ProtoInput,
  skip,
  tag,
  text,
  uint32,
  uint64,
} from './proto-input.ts';
import { defaultOf, type ProtoField, type ProtoTable, wireTypeOf } from './proto-table.ts';

type Value = Record<string, unknown>;

/** By message, what is looked up for each tag; made once. */
const indexes = new WeakMap<readonly ProtoField[], ReadonlyMap<number, ProtoField>>();

/**
 * A message as a plain object: names as JSON has them, 64-bit numbers as `bigint`, enums by name where one is known, bytes as
 * `Uint8Array`. Lists and maps are always there, and so are fields that cannot be told from their default.
 *
 * @throws NotProto
 */
export function decodeProto(table: ProtoTable, bytes: Uint8Array): Value {
  return readMessage(table, table.root, { bytes, at: 0, end: bytes.length }, 0);
}

/** @param before what this message held already: such ones are merged */
function readMessage(
  table: ProtoTable,
  which: number,
  input: ProtoInput,
  depth: number,
  endTag = 0,
  before?: unknown,
): Value {
  if (depth > MAX_DEPTH) throw new NotProto('it is nested too deeply');
  const { fields } = table.messages[which] as ProtoTable['messages'][number];
  let index = indexes.get(fields);
  if (index === undefined) {
    index = new Map(fields.map((field) => [field.number, field]));
    indexes.set(fields, index);
  }
  const values = new Map<string, unknown>(before === undefined ? [] : Object.entries(before as Value));
  while (endTag !== 0 || input.at < input.end) {
    const found = tag(input);
    if (found === endTag) break;
    const field = index.get(found >>> 3);
    const value = field && readField(table, field, found & 7, input, depth, values);
    if (field === undefined || value === undefined) skip(input, found, depth);
    else {
      if (field.oneof !== undefined) dropRivals(fields, field, values);
      values.set(field.name, value);
    }
  }
  if (values.size < fields.length) fillIn(table, fields, values);
  return Object.fromEntries(values);
}

/** Of a oneof the last member counts. */
function dropRivals(fields: readonly ProtoField[], { oneof }: ProtoField, values: Map<string, unknown>): void {
  for (const one of fields) if (one.oneof === oneof) values.delete(one.name);
}

function fillIn(table: ProtoTable, fields: readonly ProtoField[], values: Map<string, unknown>): void {
  for (const field of fields) {
    const { name } = field;
    if (values.has(name)) continue;
    if (field.isRequired) throw new NotProto(`the required field ${name} is missing`);
    if (field.isMap) values.set(name, {});
    else if (field.isMany) values.set(name, []);
    else if (!field.hasPresence && field.type !== 11) values.set(name, defaultOf(table, field));
  }
}

/** @returns nothing where the field is there in a form that it cannot have */
function readField(
  table: ProtoTable,
  field: ProtoField,
  wireType: number,
  input: ProtoInput,
  depth: number,
  values: ReadonlyMap<string, unknown>,
): unknown {
  const before = values.get(field.name);
  if (field.isMap) return wireType === 2 ? readEntry(table, field, inner(input), depth, before as Value) : undefined;
  if (field.isMany) return readItems(table, field, wireType, input, depth, before as unknown[]);
  return wireType === wireTypeOf(field) ? readOne(table, field, input, depth, before) : undefined;
}

function readEntry(
  table: ProtoTable,
  { of = 0 }: ProtoField,
  input: ProtoInput,
  depth: number,
  map: Value = {},
): Value {
  const { fields } = table.messages[of] as ProtoTable['messages'][number];
  const [key, content] = [1, 2].map((wanted) => fields.find((one) => one.number === wanted)) as [
    ProtoField,
    ProtoField,
  ];
  const entry = readMessage(table, of, input, depth + 1);
  const name = String(entry[key.name]);
  // an entry may leave out its value, which is an empty message then
  const value = entry[content.name] ?? emptyOf(table, content, depth);
  if (name !== '__proto__') map[name] = value;
  else Object.defineProperty(map, name, { value, enumerable: true, configurable: true, writable: true });
  return map;
}

function emptyOf(table: ProtoTable, field: ProtoField, depth: number): unknown {
  return field.type === 11
    ? readMessage(table, field.of ?? 0, { bytes: new Uint8Array(), at: 0, end: 0 }, depth + 1)
    : defaultOf(table, field);
}

function readItems(
  table: ProtoTable,
  field: ProtoField,
  wireType: number,
  input: ProtoInput,
  depth: number,
  list: unknown[] = [],
): unknown {
  const own = wireTypeOf(field);
  if (wireType === own) list.push(readOne(table, field, input, depth));
  else if (wireType === 2 && own !== 3) {
    const items = inner(input);
    while (items.at < items.end) list.push(readOne(table, field, items, depth));
  } else return undefined;
  return list;
}

/** By type as descriptors number them, those that are nothing but themselves. */
const plain: Readonly<Record<number, (input: ProtoInput) => unknown>> = {
  1: (input) => number(input, 8, (view, at) => view.getFloat64(at, true)),
  2: (input) => number(input, 4, (view, at) => view.getFloat32(at, true)),
  3: (input) => BigInt.asIntN(64, uint64(input)),
  4: uint64,
  5: (input) => uint32(input) | 0,
  6: (input) => number(input, 8, (view, at) => view.getBigUint64(at, true)),
  7: (input) => number(input, 4, (view, at) => view.getUint32(at, true)),
  8: (input) => uint64(input) !== 0n,
  9: text,
  12: block,
  13: uint32,
  15: (input) => number(input, 4, (view, at) => view.getInt32(at, true)),
  16: (input) => number(input, 8, (view, at) => view.getBigInt64(at, true)),
  17: (input) => {
    const zigzag = uint32(input);
    return (zigzag >>> 1) ^ -(zigzag & 1);
  },
  18: (input) => {
    const zigzag = uint64(input);
    return BigInt.asIntN(64, (zigzag >> 1n) ^ -(zigzag & 1n));
  },
};

function readOne(table: ProtoTable, field: ProtoField, input: ProtoInput, depth: number, before?: unknown): unknown {
  const read = plain[field.type];
  return read === undefined ? readTyped(table, field, input, depth, before) : read(input);
}

function readTyped(
  table: ProtoTable,
  { type, of = 0, number: own }: ProtoField,
  input: ProtoInput,
  depth: number,
  before: unknown,
): unknown {
  if (type === 10) return readMessage(table, of, input, depth + 1, ((own << 3) | 4) >>> 0, before);
  if (type === 11) return readMessage(table, of, inner(input), depth + 1, 0, before);
  if (type !== 14) throw new NotProto('the schema has a type that is none');
  const found = uint32(input) | 0;
  return table.enums[of]?.values.find(([, known]) => known === found)?.[0] ?? found;
}
