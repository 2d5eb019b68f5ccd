/** Values <-> JSON by a type of Avro. Unions bare or wrapped in, wrapped out; what does not fit has a path. */

import type { SchemaIssue } from '../model/schema-issue.ts';
import { type AvroField, type AvroType, branchName } from './avro-table.ts';
import { holdsFields } from './holds-fields.ts';

type Path = readonly (string | number)[];

/** Where a value goes: to the wire, as JSON; nowhere, since its text goes as it is; or to whoever reads it. */
export type AvroTarget = 'wire' | 'text' | 'reader';

const MAX_DEPTH = 1_000;
/** Exact digits in JSON text; in Node since 21. */
const { rawJSON } = JSON as unknown as { readonly rawJSON: (text: string) => unknown };

/** Does not fit. No error: trying the branches of a union throws it very often, and a stack would cost more than the rest. */
class Unfit {
  readonly path: Path;
  readonly message: string;

  constructor(path: Path, message: string) {
    this.path = path;
    this.message = message;
  }
}

function unfit(path: Path, message: string): never {
  throw new Unfit(path, message);
}

/** @returns the value in the form of its target, or what is wrong with it */
export function convertAvro(
  type: AvroType,
  value: unknown,
  target: AvroTarget,
): { readonly value: unknown } | { readonly issues: readonly SchemaIssue[] } {
  try {
    return { value: convert(type, value, target, [], { inVain: 0 }) };
  } catch (error) {
    if (error instanceof Unfit) return { issues: [{ path: error.path, message: error.message }] };
    if (error instanceof RangeError) return { issues: [{ path: [], message: 'is nested too deeply' }] };
    throw error;
  }
}

/** Branches of a union that were tried in vain: with unions inside unions that fail late, these could grow without end. */
const MAX_IN_VAIN = 500_000;

interface Budget {
  inVain: number;
}

type Convert<Kind> = (
  type: Extract<AvroType, { kind: Kind }>,
  value: unknown,
  target: AvroTarget,
  path: Path,
  budget: Budget,
) => unknown;

/** Functions of their own: a first message compiles those of its kinds alone. */
const byKind: { readonly [Kind in AvroType['kind']]: Convert<Kind> } = {
  null: (_, value, __, path) => (value === null ? null : unfit(path, 'must be null')),
  boolean: (_, value, __, path) => (typeof value === 'boolean' ? value : unfit(path, 'must be true or false')),
  int: convertWhole,
  long: convertWhole,
  float: convertNumber,
  double: convertNumber,
  string: (_, value, __, path) => {
    if (typeof value !== 'string') return unfit(path, 'must be text');
    return value.isWellFormed() ? value : unfit(path, 'holds half a character');
  },
  bytes: (_, value, target, path) => convertBytes(value, undefined, target, path),
  fixed: ({ size }, value, target, path) => convertBytes(value, size, target, path),
  enum: ({ symbols }, value, _, path) =>
    typeof value === 'string' && symbols.includes(value) ? value : unfit(path, 'is none of the symbols'),
  array: ({ of }, value, target, path, budget) => {
    if (!Array.isArray(value)) return unfit(path, 'must be a list');
    return value.map((one, index) => convert(of, one, target, [...path, index], budget));
  },
  map: ({ of }, value, target, path, budget) => {
    if (!isObject(value)) return unfit(path, 'must be an object');
    return Object.fromEntries(
      entriesOf(value, path).map(([key, one]) => [key, convert(of, one, target, [...path, key], budget)]),
    );
  },
  record: convertRecord,
  union: convertUnion,
};

function convert(type: AvroType, value: unknown, target: AvroTarget, path: Path, budget: Budget): unknown {
  if (path.length > MAX_DEPTH) return unfit(path, 'is nested too deeply');
  if (budget.inVain > MAX_IN_VAIN) return unfit(path, 'has too many values that fit no branch of their union');
  return (byKind[type.kind] as Convert<unknown>)(type as never, value, target, path, budget);
}

const isObject = holdsFields;

function entriesOf(value: object, path: Path): [string, unknown][] {
  if (!(value instanceof Map)) return Object.entries(value);
  const entries = [...value] as [unknown, unknown][];
  if (!entries.every(([key]) => typeof key === 'string')) unfit(path, 'has a key that is no text');
  return entries as [string, unknown][];
}

function convertWhole(
  { kind }: { readonly kind: 'int' | 'long' },
  value: unknown,
  target: AvroTarget,
  path: Path,
): unknown {
  const isWhole = typeof value === 'bigint' || (typeof value === 'number' && Number.isInteger(value));
  if (!isWhole) return unfit(path, 'must be a whole number');
  if (typeof value === 'number' && !Number.isSafeInteger(value))
    return unfit(path, 'is too large for a number: give a bigint');
  const bits = kind === 'int' ? 32 : 64;
  if (BigInt.asIntN(bits, BigInt(value as number | bigint)) !== BigInt(value as number | bigint)) {
    return unfit(path, `is outside of ${bits} bits`);
  }
  if (typeof value === 'number') return value + 0; // no -0
  if (target === 'wire') return rawJSON(String(value));
  return Number.isSafeInteger(Number(value)) ? Number(value) : value;
}

function convertNumber(
  { kind }: { readonly kind: 'float' | 'double' },
  value: unknown,
  target: AvroTarget,
  path: Path,
): unknown {
  const number = typeof value === 'bigint' ? Number(value) : value; // of a long row of digits in the text
  if (typeof number !== 'number') return unfit(path, 'must be a number');
  if (!Number.isFinite(number)) return unfit(path, 'is no number that JSON has');
  if (kind === 'float' && !Number.isFinite(Math.fround(number))) return unfit(path, 'is outside of a float');
  if (target === 'wire' && typeof value === 'bigint' && BigInt(number) !== value) {
    return unfit(path, `has more digits than a ${kind} holds`);
  }
  return number;
}

/** In JSON bytes are text whose characters are the bytes. */
function convertBytes(value: unknown, size: number | undefined, target: AvroTarget, path: Path): unknown {
  let bytes: Uint8Array;
  if (typeof value === 'string') {
    for (let at = 0; at < value.length; at++) {
      if (value.charCodeAt(at) > 255) return unfit(path, 'must be text of the characters U+0000 to U+00FF');
    }
    bytes = new Uint8Array(Buffer.from(value, 'latin1'));
  } else if (ArrayBuffer.isView(value)) bytes = new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  else return unfit(path, 'must be bytes');
  if (size !== undefined && bytes.length !== size) return unfit(path, `must be ${size} bytes`);
  return target === 'wire' ? Buffer.from(bytes).toString('latin1') : bytes;
}

function convertRecord(
  { fields }: { readonly fields: readonly AvroField[] },
  value: unknown,
  target: AvroTarget,
  path: Path,
  budget: Budget,
): unknown {
  if (!isObject(value)) return unfit(path, 'must be an object');
  const given = new Map(entriesOf(value, path));
  const result = new Map<string, unknown>();
  for (const { name, type, fallback } of fields) {
    const one = given.get(name);
    given.delete(name);
    if (one !== undefined) result.set(name, convert(type, one, target, [...path, name], budget));
    else if (fallback === undefined) unfit([...path, name], 'is missing');
    // a reader gets what the schema says; on the wire it may stay away, as the SDKs have it
    else if (target === 'reader') result.set(name, convertFallback(type, fallback.value));
  }
  for (const [name, one] of given) {
    if (one === undefined) continue;
    if (target !== 'reader') unfit([...path, name], 'is not a field of the record');
    result.set(name, one); // stored by others, who may send what they like
  }
  return Object.fromEntries(result);
}

/** Of a union the default is of its first branch. */
function convertFallback(type: AvroType, value: unknown): unknown {
  const [first] = type.kind === 'union' ? type.branches : [type];
  try {
    return convert(first ?? type, value, 'reader', [], { inVain: 0 });
  } catch {
    return value; // a default that its own schema does not allow
  }
}

/** Wrapped `{ name: value }` where that is one, else the first branch that fits as it is. */
function convertUnion(
  { branches }: { readonly branches: readonly AvroType[] },
  value: unknown,
  target: AvroTarget,
  path: Path,
  budget: Budget,
): unknown {
  const finish = (branch: AvroType, converted: unknown): unknown =>
    target === 'wire' && branch.kind !== 'null' ? { [branchName(branch)]: converted } : converted;
  const [wrapped, ...more] = isObject(value) ? entriesOf(value, path) : [];
  const named =
    more.length > 0 || wrapped === undefined ? undefined : branches.find((one) => branchName(one) === wrapped[0]);
  let inside: unknown;
  if (named !== undefined && wrapped !== undefined) {
    try {
      return finish(named, convert(named, wrapped[1], target, [...path, wrapped[0]], budget));
    } catch (error) {
      if (!(error instanceof Unfit)) throw error;
      budget.inVain++;
      inside = error;
    }
  }
  const candidates = branches.filter((branch) => mayBe(branch, value));
  for (const branch of candidates) {
    try {
      return finish(branch, convert(branch, value, target, path, budget));
    } catch (error) {
      if (!(error instanceof Unfit)) throw error;
      budget.inVain++;
      inside ??= candidates.length === 1 ? error : undefined;
    }
  }
  if (inside !== undefined) throw inside;
  return unfit(path, 'fits no branch of the union');
}

/** Told by its outside, so that a branch is not walked through for nothing. */
function mayBe({ kind }: AvroType, value: unknown): boolean {
  switch (kind) {
    case 'null':
      return value === null;
    case 'boolean':
      return typeof value === 'boolean';
    case 'int':
    case 'long':
    case 'float':
    case 'double':
      return typeof value === 'number' || typeof value === 'bigint';
    case 'string':
    case 'enum':
      return typeof value === 'string';
    case 'bytes':
    case 'fixed':
      return typeof value === 'string' || ArrayBuffer.isView(value);
    case 'array':
      return Array.isArray(value);
    default:
      return isObject(value);
  }
}
