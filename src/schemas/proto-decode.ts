/** Bytes of protobuf -> a plain value. What is no message of the table is an error; nothing is read past its end. */

import type { ProtoField, ProtoTable } from './proto-table.ts';
import { MAX_DEPTH, NotProto, ProtoReader } from './proto-wire.ts';

type Value = Record<string, unknown>;

/** Also for fields named `__proto__`. */
export function setField(value: Value, name: string, field: unknown): void {
  if (name !== '__proto__') value[name] = field;
  else Object.defineProperty(value, name, { value: field, enumerable: true, configurable: true, writable: true });
}
const hasField = (value: Value, name: string): boolean => Object.hasOwn(value, name);

/** By message, what is looked up for each tag; made once. */
const indexes = new WeakMap<readonly ProtoField[], ReadonlyMap<number, ProtoField>>();
function indexOf(fields: readonly ProtoField[]): ReadonlyMap<number, ProtoField> {
  let index = indexes.get(fields);
  if (index === undefined) {
    index = new Map(fields.map((field) => [field.number, field]));
    indexes.set(fields, index);
  }
  return index;
}

/**
 * A message as a plain object: names as JSON has them, 64-bit numbers as `bigint`, enums by name where one is known, bytes as
 * `Uint8Array`. Lists and maps are always there, and so are fields that cannot be told from their default.
 *
 * @throws NotProto
 */
export function decodeProto(table: ProtoTable, bytes: Uint8Array): Value {
  const value = readMessage(table, table.root, new ProtoReader(bytes), {}, 0);
  return value;
}

function readMessage(
  table: ProtoTable,
  which: number,
  reader: ProtoReader,
  value: Value,
  depth: number,
  endTag = 0,
): Value {
  if (depth > MAX_DEPTH) throw new NotProto('it is nested too deeply');
  const { fields } = table.messages[which] as ProtoTable['messages'][number];
  const index = indexOf(fields);
  for (;;) {
    if (reader.isOver) {
      if (endTag !== 0) throw new NotProto('it ends too early');
      break;
    }
    const tag = reader.tag();
    if (tag === endTag) break;
    const field = index.get(tag >>> 3);
    if (field === undefined || !readField(table, field, tag & 7, reader, value, depth)) reader.skip(tag, depth);
    else if (field.oneof !== undefined) dropRivals(fields, field, value);
  }
  for (const field of fields) fillIn(field, value, table);
  return value;
}

/** Of a oneof the last member counts. */
function dropRivals(fields: readonly ProtoField[], { oneof, name }: ProtoField, value: Value): void {
  for (const rival of fields) if (rival.oneof === oneof && rival.name !== name) delete value[rival.name];
}

function fillIn(field: ProtoField, value: Value, table: ProtoTable): void {
  const { name, isRequired } = field;
  if (hasField(value, name)) return;
  if (isRequired) throw new NotProto(`the required field ${name} is missing`);
  if (field.isMap) setField(value, name, {});
  else if (field.isMany) setField(value, name, []);
  else if (!field.hasPresence && field.type !== 11) setField(value, name, defaultOf(table, field));
}

/** The value that a field has which is not there. */
export function defaultOf(table: ProtoTable, { type, of = 0 }: ProtoField): unknown {
  switch (type) {
    case 8:
      return false;
    case 9:
      return '';
    case 12:
      return new Uint8Array();
    case 14:
      return table.enums[of]?.values[0]?.[0] ?? 0;
    case 3:
    case 4:
    case 6:
    case 16:
    case 18:
      return 0n;
    default:
      return 0;
  }
}

const wireTypeOf = (type: number): number => {
  if (type === 1 || type === 6 || type === 16) return 1;
  if (type === 2 || type === 7 || type === 15) return 5;
  if (type === 10) return 3;
  return type === 9 || type === 11 || type === 12 ? 2 : 0;
};

/** @returns whether the field was there in a form that it can have */
function readField(
  table: ProtoTable,
  field: ProtoField,
  wireType: number,
  reader: ProtoReader,
  value: Value,
  depth: number,
): boolean {
  const { name, type, of = 0 } = field;
  const own = wireTypeOf(type);
  if (field.isMap) {
    if (wireType !== 2) return false;
    const entry = readMessage(table, of, reader.inner(), {}, depth + 1);
    const map = (hasField(value, name) ? value[name] : {}) as Value;
    const fields = (table.messages[of] as ProtoTable['messages'][number]).fields;
    const content = fields.find(({ number }) => number === 2) as ProtoField;
    const held = hasField(entry, content.name) ? entry[content.name] : emptyOf(table, content, depth);
    setField(map, String(entry[fields.find(({ number }) => number === 1)?.name ?? 'key']), held);
    setField(value, name, map);
    return true;
  }
  if (field.isMany) {
    const list = (hasField(value, name) ? value[name] : []) as unknown[];
    if (wireType === own) list.push(readOne(table, field, reader, undefined, depth));
    else if (wireType === 2 && (own === 0 || own === 1 || own === 5)) {
      const inner = reader.inner();
      while (!inner.isOver) list.push(readOne(table, field, inner, undefined, depth));
    } else return false;
    setField(value, name, list);
    return true;
  }
  if (wireType !== own) return false;
  const before = hasField(value, name) ? value[name] : undefined;
  setField(value, name, readOne(table, field, reader, before, depth));
  return true;
}

/** An entry of a map may leave out its value, which is an empty message then. */
const emptyOf = (table: ProtoTable, field: ProtoField, depth: number): unknown =>
  field.type === 11 && field.of !== undefined
    ? readMessage(table, field.of, new ProtoReader(new Uint8Array()), {}, depth + 1)
    : defaultOf(table, field);

/** @param before what a message of this field held already: such ones are merged */
function readOne(table: ProtoTable, field: ProtoField, reader: ProtoReader, before: unknown, depth: number): unknown {
  const { type, of = 0, number } = field;
  switch (type) {
    case 1:
      return reader.double();
    case 2:
      return reader.float();
    case 3:
      return BigInt.asIntN(64, reader.uint64());
    case 4:
      return reader.uint64();
    case 5:
      return reader.uint32() | 0;
    case 6:
      return reader.fixed64();
    case 7:
      return reader.fixed32();
    case 8:
      return reader.uint64() !== 0n;
    case 9:
      return reader.text();
    case 10:
      return readMessage(table, of, reader, (before ?? {}) as Value, depth + 1, ((number << 3) | 4) >>> 0);
    case 11:
      return readMessage(table, of, reader.inner(), (before ?? {}) as Value, depth + 1);
    case 12:
      return reader.block();
    case 13:
      return reader.uint32();
    case 14: {
      const found = reader.uint32() | 0;
      return table.enums[of]?.values.find(([, known]) => known === found)?.[0] ?? found;
    }
    case 15:
      return reader.fixed32() | 0;
    case 16:
      return BigInt.asIntN(64, reader.fixed64());
    case 17: {
      const zigzag = reader.uint32();
      return (zigzag >>> 1) ^ -(zigzag & 1);
    }
    case 18: {
      const zigzag = reader.uint64();
      return BigInt.asIntN(64, (zigzag >> 1n) ^ -(zigzag & 1n));
    }
    default:
      throw new NotProto('the schema has a type that is none');
  }
}
