/** A value by the JSON mapping of protobuf -> bytes. Unknown names, wrong types and lost digits are errors with a path. */

import type { SchemaIssue } from '../model/schema-issue.ts';
import { holdsFields } from './holds-fields.ts';
import { MAX_DEPTH } from './proto-input.ts';
import { fromJsonForm } from './proto-known-types.ts';
import { type ProtoField, type ProtoTable, wireTypeOf } from './proto-table.ts';
import { ProtoWriter } from './proto-writer.ts';

type Path = readonly (string | number)[];
type Fields = Readonly<Record<string, unknown>>;

/** What is wrong, collected; more than fifty are of no use to anybody. */
class Issues {
  readonly found: SchemaIssue[] = [];

  add(path: Path, message: string): undefined {
    if (this.found.length < 50) this.found.push({ path, message });
    return undefined;
  }
}

/** @returns bytes, or what is wrong */
export function encodeProto(
  table: ProtoTable,
  value: object,
): { readonly data: Uint8Array } | { readonly issues: readonly SchemaIssue[] } {
  const issues = new Issues();
  const writer = new ProtoWriter();
  writeMessage(table, table.root, value, [], issues, writer, 0);
  return issues.found.length > 0 ? { issues: issues.found } : { data: writer.finish() };
}

function writeMessage(
  table: ProtoTable,
  which: number,
  value: unknown,
  path: Path,
  issues: Issues,
  writer: ProtoWriter,
  depth: number,
): unknown {
  if (depth > MAX_DEPTH) return issues.add(path, 'is nested too deeply');
  const { name, fields } = table.messages[which] as ProtoTable['messages'][number];
  const message = fromJsonForm(name, value);
  if (!isObject(message)) return issues.add(path, 'must be an object');
  const given = gather(fields, message, path, issues);
  for (const field of fields) {
    const one = given.get(field);
    if (one !== undefined) writeField(table, field, one.value, [...path, one.key], issues, writer, depth);
    else if (field.isRequired) issues.add([...path, field.name], 'is required');
  }
}

const isObject = (value: unknown): value is Fields => holdsFields(value);

/** What protobuf-es notes beside the fields; what it has kept of a message that knew more would be lost, and is no note. */
const isNote = (key: string, value: unknown): boolean =>
  key === '$typeName' || (key === '$unknown' && Array.isArray(value) && value.length === 0);

/** The fields that a value gives, in either spelling; also a oneof as `{ case, value }`. `null` is as if it were not there. */
function gather(
  fields: readonly ProtoField[],
  value: Fields,
  path: Path,
  issues: Issues,
): ReadonlyMap<ProtoField, { readonly key: string; readonly value: unknown }> {
  const given = new Map<ProtoField, { readonly key: string; readonly value: unknown }>();
  const chosen = new Map<string, string>();
  const take = (key: string, one: unknown): unknown => {
    const field = fields.find(({ name, original }) => name === key || original === key);
    if (field === undefined)
      return isNote(key, one) ? undefined : issues.add([...path, key], 'is not a field of the message');
    if (given.has(field)) return issues.add([...path, key], 'is given in both spellings');
    given.set(field, { key, value: one });
    if (field.oneof === undefined) return;
    const rival = chosen.get(field.oneof);
    if (rival !== undefined) issues.add([...path, key], `excludes ${rival}: both are of ${field.oneof}`);
    chosen.set(field.oneof, key);
  };
  const entries = value instanceof Map ? [...value] : Object.entries(value);
  for (const [key, one] of entries) {
    if (typeof key !== 'string') issues.add(path, 'has a key that is no text');
    else if (one !== undefined && one !== null) {
      const isOneof = fields.some(({ oneof, name }) => oneof === key && name !== key) && isObject(one) && 'case' in one;
      if (!isOneof) take(key, one);
      else if (typeof one.case === 'string') take(one.case, one.value);
    }
  }
  return given;
}

function writeField(
  table: ProtoTable,
  field: ProtoField,
  value: unknown,
  path: Path,
  issues: Issues,
  writer: ProtoWriter,
  depth: number,
): unknown {
  if (field.isMap) return writeMap(table, field, value, path, issues, writer, depth);
  if (!field.isMany) {
    if (field.hasPresence || !isDefault(table, field, value)) {
      writeTagged(table, field, value, path, issues, writer, depth);
    } else check(table, field, value, path, issues);
    return;
  }
  if (!Array.isArray(value)) {
    const isTyped = ArrayBuffer.isView(value) && !(value instanceof DataView) && field.type !== 12;
    if (!isTyped) return issues.add(path, 'must be a list');
  }
  const list = Array.from(value as Iterable<unknown>);
  if (list.length === 0) return;
  if (!field.isPacked) {
    for (const [index, one] of list.entries()) {
      writeTagged(table, field, one, [...path, index], issues, writer, depth);
    }
    return;
  }
  const packed = new ProtoWriter();
  for (const [index, one] of list.entries()) writeOne(table, field, one, [...path, index], issues, packed, depth);
  writer.varint(((field.number << 3) | 2) >>> 0);
  writer.block(packed.finish());
}

function writeMap(
  table: ProtoTable,
  field: ProtoField,
  value: unknown,
  path: Path,
  issues: Issues,
  writer: ProtoWriter,
  depth: number,
): unknown {
  if (!isObject(value)) return issues.add(path, 'must be an object');
  const { fields } = table.messages[field.of ?? 0] as ProtoTable['messages'][number];
  const [keyField, valueField] = fields as readonly [ProtoField, ProtoField];
  for (const [key, one] of value instanceof Map ? value : Object.entries(value)) {
    const at = [...path, String(key)];
    const entry = new ProtoWriter();
    const named = keyField.type === 8 ? ({ true: true, false: false }[String(key)] ?? key) : key;
    const asText = keyField.type === 9 && typeof named !== 'string' ? String(named) : named;
    writeTagged(table, keyField, asText, at, issues, entry, depth);
    if (one === null || one === undefined) issues.add(at, 'must have a value');
    else writeTagged(table, valueField, one, at, issues, entry, depth);
    writer.varint(((field.number << 3) | 2) >>> 0);
    writer.block(entry.finish());
  }
}

/** Whether a value is what a reader takes a missing field for. */
function isDefault(table: ProtoTable, { type, of = 0 }: ProtoField, value: unknown): boolean {
  if (type === 14)
    return value === 0 || table.enums[of]?.values.some(([name, number]) => name === value && number === 0) === true;
  if (type === 12) return value === '' || (value instanceof Uint8Array && value.length === 0);
  if (type === 9) return value === '';
  if (type === 8) return value === false;
  return value === 0n || value === '0' || (value === 0 && (type > 2 || !Object.is(value, -0)));
}

function check(table: ProtoTable, field: ProtoField, value: unknown, path: Path, issues: Issues): void {
  writeOne(table, field, value, path, issues, new ProtoWriter(), 0);
}

function writeTagged(
  table: ProtoTable,
  field: ProtoField,
  value: unknown,
  path: Path,
  issues: Issues,
  writer: ProtoWriter,
  depth: number,
): void {
  writer.varint(((field.number << 3) | wireTypeOf(field)) >>> 0);
  writeOne(table, field, value, path, issues, writer, depth);
}

function writeOne(
  table: ProtoTable,
  field: ProtoField,
  value: unknown,
  path: Path,
  issues: Issues,
  writer: ProtoWriter,
  depth: number,
): unknown {
  const { type, of = 0 } = field;
  switch (type) {
    case 1:
    case 2: {
      const number = toFloat(value, type === 2, path, issues);
      if (number !== undefined) writer[type === 1 ? 'double' : 'float'](number);
      return;
    }
    case 8:
      if (typeof value !== 'boolean') return issues.add(path, 'must be true or false');
      return writer.varint(value ? 1 : 0);
    case 9:
      if (typeof value !== 'string') return issues.add(path, 'must be text');
      if (!value.isWellFormed()) return issues.add(path, 'holds half a character');
      return writer.text(value);
    case 10:
      writeMessage(table, of, value, path, issues, writer, depth + 1);
      return writer.varint(((field.number << 3) | 4) >>> 0);
    case 11: {
      const inner = new ProtoWriter();
      writeMessage(table, of, value, path, issues, inner, depth + 1);
      return writer.block(inner.finish());
    }
    case 12: {
      const bytes = toBytes(value);
      if (bytes === undefined) return issues.add(path, 'must be bytes, or base64 text');
      return writer.block(bytes);
    }
    case 14: {
      const number = toEnum(table, of, value, path, issues);
      if (number !== undefined) writer.varint(BigInt(number));
      return;
    }
    default: {
      const whole = toWhole(type, value, path, issues);
      if (whole !== undefined) writeWhole(type, whole, writer);
    }
  }
}

function writeWhole(type: number, whole: bigint, writer: ProtoWriter): void {
  if (type === 7 || type === 15) writer.fixed32(Number(BigInt.asUintN(32, whole)));
  else if (type === 6 || type === 16) writer.fixed64(whole);
  else if (type === 17 || type === 18) writer.varint(whole < 0n ? -whole * 2n - 1n : whole * 2n);
  else writer.varint(whole);
}

const SIGNED = new Set([3, 5, 15, 16, 17, 18]);
const SHORT = new Set([5, 7, 13, 15, 17]);

function toWhole(type: number, value: unknown, path: Path, issues: Issues): bigint | undefined {
  const bits = SHORT.has(type) ? 32n : 64n;
  const isSigned = SIGNED.has(type);
  const whole = wholeOf(value);
  if (whole === 'inexact') return issues.add(path, 'is too large for a number: give a bigint or text');
  if (whole === undefined) return issues.add(path, 'must be a whole number, a bigint or decimal text');
  const min = isSigned ? -(1n << (bits - 1n)) : 0n;
  const max = (1n << (isSigned ? bits - 1n : bits)) - 1n;
  if (whole < min || whole > max) return issues.add(path, `is outside of ${isSigned ? '' : 'unsigned '}${bits} bits`);
  return whole;
}

function wholeOf(value: unknown): bigint | 'inexact' | undefined {
  if (typeof value === 'bigint') return value;
  if (typeof value === 'number') {
    if (!Number.isInteger(value)) return undefined;
    return Number.isSafeInteger(value) ? BigInt(value) : 'inexact';
  }
  if (typeof value === 'string') {
    if (/^-?\d{1,20}$/.test(value)) return BigInt(value);
    // `1e5`, which JSON has as well
    const number = /^-?\d{1,20}(\.\d{1,20})?([eE][+-]?\d{1,2})?$/.test(value) ? Number(value) : Number.NaN;
    return Number.isSafeInteger(number) ? BigInt(number) : undefined;
  }
  // a Long, as older libraries have it
  const { low, high, unsigned } = (value ?? {}) as { low?: unknown; high?: unknown; unsigned?: unknown };
  if (!Number.isInteger(low) || !Number.isInteger(high)) return undefined;
  const bits = (BigInt(high as number) << 32n) | BigInt((low as number) >>> 0);
  return unsigned === true ? BigInt.asUintN(64, bits) : BigInt.asIntN(64, bits);
}

/** The largest that a 32-bit float rounds to, and not to infinity. */
const MAX_FLOAT = 3.4028235677973366e38;

function toFloat(value: unknown, isShort: boolean, path: Path, issues: Issues): number | undefined {
  const special = value === 'NaN' || value === 'Infinity' || value === '-Infinity';
  const isDecimal = typeof value === 'string' && /^-?\d+(\.\d+)?([eE][+-]?\d{1,4})?$/.test(value) && value.length < 400;
  const number = typeof value === 'number' ? value : special || isDecimal ? Number(value) : undefined;
  if (number === undefined) return issues.add(path, 'must be a number');
  if (isShort && Number.isFinite(number) && Math.abs(number) >= MAX_FLOAT)
    return issues.add(path, 'is outside of a float');
  if (isDecimal && !Number.isFinite(number)) return issues.add(path, 'is outside of a double');
  return number;
}

function toEnum(table: ProtoTable, of: number, value: unknown, path: Path, issues: Issues): number | undefined {
  const known = table.enums[of];
  if (typeof value === 'string') {
    const found = known?.values.find(([name]) => name === value);
    return found === undefined ? issues.add(path, 'is not a name of the enum') : found[1];
  }
  if (typeof value !== 'number' || !Number.isInteger(value) || value !== (value | 0)) {
    return issues.add(path, 'must be a name or a number of the enum');
  }
  const isKnown = known?.values.some(([, number]) => number === value);
  return known?.isClosed && !isKnown ? issues.add(path, 'is not a number of the enum') : value;
}

function toBytes(value: unknown): Uint8Array | undefined {
  if (ArrayBuffer.isView(value)) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  if (value instanceof ArrayBuffer) return new Uint8Array(value);
  if (typeof value !== 'string' || !/^[A-Za-z0-9+/_-]*={0,2}$/.test(value)) return undefined;
  const digits = value.replace(/=+$/, '');
  if (digits.length % 4 === 1 || (value !== digits && value.length % 4 !== 0)) return undefined;
  return new Uint8Array(Buffer.from(digits, 'base64'));
}
