/** What is appended to a message, in the wire format of protobuf. */

import { writeUtf8 } from './utf8.ts';

/** A part of a message. Plain, as what is read: each class is paid for by a cold start. */
export interface ProtoOutput {
  bytes: Uint8Array;
  length: number;
}

export function newOutput(): ProtoOutput {
  return { bytes: new Uint8Array(128), length: 0 };
}

/** What is in it so far; a copy. */
export function finished({ bytes, length }: ProtoOutput): Uint8Array {
  return bytes.slice(0, length);
}

/** Makes room. @returns where what comes next begins */
function room(output: ProtoOutput, size: number): number {
  const { bytes, length } = output;
  output.length = length + size;
  if (output.length > bytes.length) {
    output.bytes = new Uint8Array(Math.max(bytes.length * 2, output.length));
    output.bytes.set(bytes);
  }
  return length;
}

function putByte(output: ProtoOutput, value: number): void {
  const at = room(output, 1);
  output.bytes[at] = value;
}

export function putVarint(output: ProtoOutput, value: number | bigint): void {
  let rest = value;
  if (typeof rest === 'number' && rest >= 0 && rest <= 0xffffffff) {
    for (; rest > 127; rest = Math.floor(rest / 128)) putByte(output, (rest & 127) | 128);
  } else {
    rest = BigInt.asUintN(64, BigInt(rest));
    for (; rest > 127n; rest >>= 7n) putByte(output, Number(rest & 127n) | 128);
  }
  putByte(output, Number(rest));
}

/** @param write puts a number of so many bytes to the begin of a view */
export function putFixed(output: ProtoOutput, size: number, write: (view: DataView) => void): void {
  const at = room(output, size);
  write(new DataView(output.bytes.buffer, at));
}

export function putRaw(output: ProtoOutput, bytes: Uint8Array): void {
  const at = room(output, bytes.length);
  output.bytes.set(bytes, at);
}

/** With its length before it. */
export function putBlock(output: ProtoOutput, bytes: Uint8Array): void {
  putVarint(output, bytes.length);
  putRaw(output, bytes);
}

export function putText(output: ProtoOutput, value: string): void {
  putBlock(output, writeUtf8(value));
}
