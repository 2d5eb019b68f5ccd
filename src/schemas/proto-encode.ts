/** A value by the JSON mapping of protobuf -> bytes. Unknown names, wrong types and lost digits are errors with a path. */

import type { SchemaIssue } from '../model/schema-issue.ts';
import { holdsFields } from './holds-fields.ts';
import { MAX_DEPTH } from './proto-input.ts';
import { fromJsonForm } from './proto-known-types.ts';
import { toBytes, toEnum, toFloat, toWhole } from './proto-scalars.ts';
import { type ProtoField, type ProtoTable, wireTypeOf } from './proto-table.ts';
import {
  finished,
  newOutput,
  type ProtoOutput,
  putBlock,
  putFixed,
  putRaw,
  putText,
  putVarint,
} from './proto-writer.ts';

type Fields = Readonly<Record<string, unknown>>;

/** A message on its way. Where it is stands here, and not in the arguments of each function, which makes these shorter. */
interface Encoding {
  readonly table: ProtoTable;
  /** What is wrong, collected; more than fifty are of no use to anybody. */
  readonly issues: SchemaIssue[];
  readonly path: (string | number)[];
  output: ProtoOutput;
  depth: number;
  /** It holds bytes that were handed in as they are, and that nobody has looked at. */
  hasUnknown: boolean;
}

/** @returns bytes, or what is wrong */
export function encodeProto(
  table: ProtoTable,
  value: object,
): { readonly data: Uint8Array; readonly hasUnknown: boolean } | { readonly issues: readonly SchemaIssue[] } {
  const output = newOutput();
  const encoding: Encoding = { table, issues: [], path: [], output, depth: 0, hasUnknown: false };
  writeMessage(encoding, table.root, value);
  const { issues, hasUnknown } = encoding;
  return issues.length > 0 ? { issues } : { data: finished(output), hasUnknown };
}

function refuse({ issues, path }: Encoding, message: string, ...inside: readonly (string | number)[]): undefined {
  if (issues.length < 50) issues.push({ path: [...path, ...inside], message });
  return undefined;
}

/** Something that has a path of its own. */
function at(encoding: Encoding, step: string | number, write: () => unknown): void {
  encoding.path.push(step);
  write();
  encoding.path.pop();
}

/** What has its length before it. @param isKept off: it is looked at, and not written */
function writeBlock(encoding: Encoding, write: () => unknown, isKept = true): void {
  const outer = encoding.output;
  encoding.output = newOutput();
  write();
  if (isKept) putBlock(outer, finished(encoding.output));
  encoding.output = outer;
}

function isObject(value: unknown): value is Fields {
  return holdsFields(value);
}
function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null;
}
function entriesOf(value: object): Iterable<[unknown, unknown]> {
  return value instanceof Map ? value : Object.entries(value);
}

function writeMessage(encoding: Encoding, which: number, value: unknown): unknown {
  const { table, output } = encoding;
  const { name, fields } = table.messages[which] as ProtoTable['messages'][number];
  if (encoding.depth > MAX_DEPTH) return refuse(encoding, 'is nested too deeply');
  const message = fromJsonForm(name, value);
  if (!isObject(message)) return refuse(encoding, 'must be an object');
  encoding.depth++;
  const given = gather(encoding, fields, message);
  for (const field of fields) {
    const one = given.get(field);
    if (one !== undefined) at(encoding, one.key, () => writeField(encoding, field, one.value));
    else if (field.isRequired) refuse(encoding, 'is required', field.name);
  }
  for (const bytes of keptIn(message)) {
    if (bytes instanceof Uint8Array) putRaw(output, bytes);
    else refuse(encoding, 'must be bytes', '$unknowns');
    encoding.hasUnknown = true;
  }
  encoding.depth--;
}

/** What protobufjs has kept of a message that knew more fields, where it was told to; it writes them again as well. */
function keptIn(message: Fields): readonly unknown[] {
  const kept = Object.getOwnPropertyDescriptor(message, '$unknowns');
  return kept !== undefined && !kept.enumerable && Array.isArray(kept.value) ? kept.value : [];
}

/** What protobuf-es notes beside the fields; what it has kept of a message that knew more would be lost, and is no note. */
function isNote(key: string, value: unknown): boolean {
  return key === '$typeName' || (key === '$unknown' && Array.isArray(value) && value.length === 0);
}

/** The fields that a value gives, in either spelling; also a oneof as `{ case, value }`. `null` is as if it were not there. */
function gather(
  encoding: Encoding,
  fields: readonly ProtoField[],
  value: Fields,
): ReadonlyMap<ProtoField, { readonly key: string; readonly value: unknown }> {
  const given = new Map<ProtoField, { readonly key: string; readonly value: unknown }>();
  const chosen = new Map<string, string>();
  const take = (key: string, one: unknown): unknown => {
    const field = fields.find(({ name, original }) => name === key || original === key);
    if (field === undefined)
      return isNote(key, one) ? undefined : refuse(encoding, 'is not a field of the message', key);
    if (given.has(field)) return refuse(encoding, 'is given in both spellings', key);
    given.set(field, { key, value: one });
    if (field.oneof === undefined) return;
    const rival = chosen.get(field.oneof);
    if (rival !== undefined) refuse(encoding, `excludes ${rival}: both are of ${field.oneof}`, key);
    chosen.set(field.oneof, key);
  };
  for (const [key, one] of entriesOf(value)) {
    if (typeof key !== 'string') refuse(encoding, 'has a key that is no text');
    else if (isGiven(one)) {
      const isOneof = fields.some(({ oneof, name }) => oneof === key && name !== key) && isObject(one) && 'case' in one;
      if (!isOneof) take(key, one);
      else if (typeof one.case === 'string') take(one.case, one.value);
    }
  }
  return given;
}

function writeField(encoding: Encoding, field: ProtoField, value: unknown): unknown {
  if (field.isMap) return writeMap(encoding, field, value);
  if (field.isMany) return writeItems(encoding, field, value);
  if (field.hasPresence || !isDefault(encoding.table, field, value)) writeTagged(encoding, field, value);
  else writeBlock(encoding, () => writeOne(encoding, field, value), false);
}

function writeItems(encoding: Encoding, field: ProtoField, value: unknown): unknown {
  const isTyped = ArrayBuffer.isView(value) && !(value instanceof DataView) && field.type !== 12;
  if (!Array.isArray(value) && !isTyped) return refuse(encoding, 'must be a list');
  const list = Array.from(value as Iterable<unknown>);
  const each = (write: typeof writeOne): void => {
    for (const [index, one] of list.entries()) at(encoding, index, () => write(encoding, field, one));
  };
  if (!field.isPacked) each(writeTagged);
  else if (list.length > 0) {
    writeTag(encoding, field, 2);
    writeBlock(encoding, () => each(writeOne));
  }
}

function writeMap(encoding: Encoding, field: ProtoField, value: unknown): unknown {
  if (!isObject(value)) return refuse(encoding, 'must be an object');
  const { fields } = encoding.table.messages[field.of ?? 0] as ProtoTable['messages'][number];
  const [keyField, valueField] = fields as readonly [ProtoField, ProtoField];
  for (const [key, one] of entriesOf(value)) {
    const named = keyField.type === 8 ? ({ true: true, false: false }[String(key)] ?? key) : key;
    const entry = (): void => {
      writeTagged(encoding, keyField, keyField.type === 9 ? String(named) : named);
      if (isGiven(one)) writeTagged(encoding, valueField, one);
      else refuse(encoding, 'must have a value');
    };
    writeTag(encoding, field, 2);
    at(encoding, String(key), () => writeBlock(encoding, entry));
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

function writeTag({ output }: Encoding, { number }: ProtoField, wireType: number): void {
  putVarint(output, ((number << 3) | wireType) >>> 0);
}

function writeTagged(encoding: Encoding, field: ProtoField, value: unknown): void {
  writeTag(encoding, field, wireTypeOf(field));
  writeOne(encoding, field, value);
}

function writeOne(encoding: Encoding, field: ProtoField, value: unknown): void {
  const { type, of = 0 } = field;
  const { table, output } = encoding;
  const orRefuse = <T>(found: T | string, write: (found: T) => void): void =>
    typeof found === 'string' ? refuse(encoding, found) : write(found);
  if (type === 11) writeBlock(encoding, () => writeMessage(encoding, of, value));
  else if (type === 10) {
    writeMessage(encoding, of, value);
    writeTag(encoding, field, 4);
  } else if (type === 9) {
    if (typeof value !== 'string') refuse(encoding, 'must be text');
    else if (!value.isWellFormed()) refuse(encoding, 'holds half a character');
    else putText(output, value);
  } else if (type === 8) {
    if (typeof value !== 'boolean') refuse(encoding, 'must be true or false');
    else putVarint(output, value ? 1 : 0);
  } else if (type === 12) orRefuse(toBytes(value), (bytes) => putBlock(output, bytes));
  else if (type === 14) orRefuse(toEnum(table.enums[of], value), (number) => putVarint(output, BigInt(number)));
  else if (type === 1)
    orRefuse(toFloat(type, value), (one) => putFixed(output, 8, (view) => view.setFloat64(0, one, true)));
  else if (type === 2)
    orRefuse(toFloat(type, value), (one) => putFixed(output, 4, (view) => view.setFloat32(0, one, true)));
  else orRefuse(toWhole(type, value), (whole) => writeWhole(output, type, whole));
}

function writeWhole(output: ProtoOutput, type: number, whole: bigint): void {
  if (type === 7 || type === 15)
    putFixed(output, 4, (view) => view.setUint32(0, Number(BigInt.asUintN(32, whole)), true));
  else if (type === 6 || type === 16) putFixed(output, 8, (view) => view.setBigInt64(0, whole, true));
  else if (type === 17 || type === 18) putVarint(output, whole < 0n ? -whole * 2n - 1n : whole * 2n);
  else putVarint(output, whole);
}
