/** What is taken of the wire format of protobuf. Lengths are checked, never trusted. */

import { readUtf8 } from './utf8.ts';

/** Bytes that are no message. Its text never quotes them. */
export class NotProto extends Error {}

/** As protobuf's own readers have it. */
export const MAX_DEPTH = 100;

/** A part of a message. Plain, since each method and each class is paid for by a cold start. */
export interface ProtoInput {
  readonly bytes: Uint8Array;
  /** The byte that comes next. */
  at: number;
  readonly end: number;
  /** Made where a field needs it. */
  view?: DataView;
}

/** @returns where they begin */
function take(input: ProtoInput, bytes: number): number {
  const { at } = input;
  if (bytes > input.end - at) throw new NotProto('it ends too early');
  input.at = at + bytes;
  return at;
}

/** As 32 bits, unsigned: longer ones are cut, as all readers do. */
export function uint32(input: ProtoInput): number {
  let value = 0;
  for (let shift = 0; shift < 70; shift += 7) {
    const byte = input.bytes[take(input, 1)] as number;
    if (shift < 32) value |= (byte & 127) << shift;
    if (byte < 128) return value >>> 0;
  }
  throw tooLong();
}

function tooLong(): NotProto {
  return new NotProto('a number is longer than ten bytes');
}

export function uint64(input: ProtoInput): bigint {
  let value = 0n;
  let low = 0;
  for (let shift = 0; shift < 70; shift += 7) {
    const byte = input.bytes[take(input, 1)] as number;
    if (shift < 28) low |= (byte & 127) << shift;
    else value |= BigInt(byte & 127) << BigInt(shift);
    if (byte < 128) return BigInt.asUintN(64, value | BigInt(low));
  }
  throw tooLong();
}

/** @param read of its view, from where a number of so many bytes begins */
export function number<T>(input: ProtoInput, size: number, read: (view: DataView, at: number) => T): T {
  const { buffer, byteOffset, length } = input.bytes;
  input.view ??= new DataView(buffer, byteOffset, length);
  return read(input.view, take(input, size));
}

/** The block that comes next. */
export function inner(input: ProtoInput): ProtoInput {
  const length = uint32(input);
  return { bytes: input.bytes, at: take(input, length), end: input.at };
}

/** A copy: the message's memory may be reused. */
export function block(input: ProtoInput): Uint8Array {
  const { bytes, at, end } = inner(input);
  return new Uint8Array(bytes.subarray(at, end));
}

export function text(input: ProtoInput): string {
  const { bytes, at, end } = inner(input);
  try {
    return readUtf8(bytes, at, end);
  } catch {
    throw new NotProto('a text is not UTF-8');
  }
}

/** The number of a field, and in three bits how it stands there. */
export function tag(input: ProtoInput): number {
  const found = uint32(input);
  if (found < 8) throw new NotProto('a field has the number 0');
  return found;
}

/** Over a field that is not known. */
export function skip(input: ProtoInput, found: number, depth: number): void {
  const type = found & 7;
  if (type === 0) uint64(input);
  else if (type === 1) take(input, 8);
  else if (type === 2) inner(input);
  else if (type === 5) take(input, 4);
  else if (type !== 3) throw new NotProto('a group ends that did not begin, or a wire type is none');
  else if (depth > MAX_DEPTH) throw new NotProto('it is nested too deeply');
  else for (let next = tag(input); next !== found + 1; next = tag(input)) skip(input, next, depth + 1);
}
