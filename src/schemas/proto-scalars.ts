/** What stands for the scalars of protobuf in JSON -> their values, or why it stands for none. */

import type { ProtoEnum } from './proto-table.ts';

/** The largest that a 32-bit float rounds to, and not to infinity. */
const MAX_FLOAT = 3.4028235677973366e38;

export function toWhole(type: number, value: unknown): bigint | string {
  const bits = [5, 7, 13, 15, 17].includes(type) ? 32 : 64;
  const isSigned = [3, 5, 15, 16, 17, 18].includes(type);
  const whole = wholeOf(value);
  if (typeof whole === 'string') return whole;
  if ((isSigned ? BigInt.asIntN(bits, whole) : BigInt.asUintN(bits, whole)) === whole) return whole;
  return `is outside of ${isSigned ? '' : 'unsigned '}${bits} bits`;
}

function wholeOf(value: unknown): bigint | string {
  if (typeof value === 'bigint') return value;
  if (typeof value === 'number' && Number.isInteger(value)) {
    return Number.isSafeInteger(value) ? BigInt(value) : 'is too large for a number: give a bigint or text';
  }
  if (typeof value === 'string') {
    if (/^-?\d{1,20}$/.test(value)) return BigInt(value);
    // `1e5`, which JSON has as well
    const number = /^-?\d{1,20}(\.\d{1,20})?([eE][+-]?\d{1,2})?$/.test(value) ? Number(value) : Number.NaN;
    if (Number.isSafeInteger(number)) return BigInt(number);
  }
  // a Long, as older libraries have it
  const { low, high, unsigned } = (value ?? {}) as { low?: unknown; high?: unknown; unsigned?: unknown };
  if (!Number.isInteger(low) || !Number.isInteger(high)) return 'must be a whole number, a bigint or decimal text';
  const bits = (BigInt(high as number) << 32n) | BigInt((low as number) >>> 0);
  return unsigned === true ? BigInt.asUintN(64, bits) : BigInt.asIntN(64, bits);
}

export function toFloat(type: number, value: unknown): number | string {
  const special = value === 'NaN' || value === 'Infinity' || value === '-Infinity';
  const isDecimal = typeof value === 'string' && /^-?\d+(\.\d+)?([eE][+-]?\d{1,4})?$/.test(value) && value.length < 400;
  const number = typeof value === 'number' ? value : special || isDecimal ? Number(value) : undefined;
  if (number === undefined) return 'must be a number';
  if (type === 2 && Number.isFinite(number) && Math.abs(number) >= MAX_FLOAT) return 'is outside of a float';
  return isDecimal && !Number.isFinite(number) ? 'is outside of a double' : number;
}

export function toEnum(known: ProtoEnum | undefined, value: unknown): number | string {
  if (typeof value === 'string') {
    return known?.values.find(([name]) => name === value)?.[1] ?? 'is not a name of the enum';
  }
  if (typeof value !== 'number' || value !== (value | 0)) return 'must be a name or a number of the enum';
  const isKnown = known?.values.some(([, number]) => number === value);
  return known?.isClosed && !isKnown ? 'is not a number of the enum' : value;
}

export function toBytes(value: unknown): Uint8Array | string {
  if (ArrayBuffer.isView(value)) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  if (value instanceof ArrayBuffer) return new Uint8Array(value);
  const text = typeof value === 'string' && /^[A-Za-z0-9+/_-]*={0,2}$/.test(value) ? value : '=';
  const digits = text.replace(/=+$/, '');
  return digits.length % 4 === 1 || (text !== digits && text.length % 4 !== 0)
    ? 'must be bytes, or base64 text'
    : new Uint8Array(Buffer.from(digits, 'base64'));
}
