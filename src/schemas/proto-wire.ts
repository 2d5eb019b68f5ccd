/** Bytes of the protobuf wire format: what a writer appends, what a reader takes. Lengths are checked, never trusted. */

import { readUtf8, writeUtf8 } from './utf8.ts';

/** Bytes that are no message. Its text never quotes them. */
export class NotProto extends Error {}

export class ProtoWriter {
  #bytes = new Uint8Array(128);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;

  varint(value: number | bigint): void {
    if (typeof value === 'number' && value >= 0 && value <= 0xffffffff) {
      let rest = value;
      while (rest > 127) {
        this.#byte((rest & 127) | 128);
        rest = Math.floor(rest / 128);
      }
      this.#byte(rest);
      return;
    }
    let rest = BigInt.asUintN(64, BigInt(value));
    while (rest > 127n) {
      this.#byte(Number(rest & 127n) | 128);
      rest >>= 7n;
    }
    this.#byte(Number(rest));
  }

  fixed32(value: number): void {
    this.#room(4);
    this.#view.setUint32(this.#length, value, true);
    this.#length += 4;
  }

  fixed64(value: bigint): void {
    this.#room(8);
    this.#view.setBigUint64(this.#length, BigInt.asUintN(64, value), true);
    this.#length += 8;
  }

  float(value: number): void {
    this.#room(4);
    this.#view.setFloat32(this.#length, value, true);
    this.#length += 4;
  }

  double(value: number): void {
    this.#room(8);
    this.#view.setFloat64(this.#length, value, true);
    this.#length += 8;
  }

  /** With its length before it. */
  block(bytes: Uint8Array): void {
    this.varint(bytes.length);
    this.#room(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  text(value: string): void {
    this.block(writeUtf8(value));
  }

  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }

  get length(): number {
    return this.#length;
  }

  #byte(value: number): void {
    this.#room(1);
    this.#bytes[this.#length++] = value;
  }

  #room(bytes: number): void {
    if (this.#length + bytes <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + bytes));
    larger.set(this.#bytes);
    this.#bytes = larger;
    this.#view = new DataView(larger.buffer);
  }
}

export class ProtoReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  at: number;
  end: number;

  constructor(bytes: Uint8Array, at = 0, end = bytes.length) {
    // a Buffer's `slice` is no copy
    this.#bytes = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.at = at;
    this.end = end;
  }

  get isOver(): boolean {
    return this.at >= this.end;
  }

  /** As 32 bits, unsigned: longer ones are cut, as all readers do. */
  uint32(): number {
    let value = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = this.#byte();
      if (shift < 32) value |= (byte & 127) << shift;
      if (byte < 128) return value >>> 0;
    }
    throw new NotProto('a number is longer than ten bytes');
  }

  uint64(): bigint {
    let value = 0n;
    let low = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = this.#byte();
      if (shift < 28) low |= (byte & 127) << shift;
      else value |= BigInt(byte & 127) << BigInt(shift);
      if (byte < 128) return BigInt.asUintN(64, value | BigInt(low));
    }
    throw new NotProto('a number is longer than ten bytes');
  }

  fixed32(): number {
    return this.#view.getUint32(this.#take(4), true);
  }

  fixed64(): bigint {
    return this.#view.getBigUint64(this.#take(8), true);
  }

  float(): number {
    return this.#view.getFloat32(this.#take(4), true);
  }

  double(): number {
    return this.#view.getFloat64(this.#take(8), true);
  }

  /** A copy: the message's memory may be reused. */
  block(): Uint8Array {
    const length = this.uint32();
    const at = this.#take(length);
    return this.#bytes.slice(at, at + length);
  }

  text(): string {
    const length = this.uint32();
    const at = this.#take(length);
    try {
      return readUtf8(this.#bytes, at, at + length);
    } catch {
      throw new NotProto('a text is not UTF-8');
    }
  }

  /** A reader of the block that comes next. */
  inner(): ProtoReader {
    const length = this.uint32();
    const at = this.#take(length);
    return new ProtoReader(this.#bytes, at, at + length);
  }

  /** Over a field that is not known. */
  skip(tag: number, depth: number): void {
    switch (tag & 7) {
      case 0:
        this.uint64();
        return;
      case 1:
        this.#take(8);
        return;
      case 2:
        this.#take(this.uint32());
        return;
      case 3:
        if (depth > MAX_DEPTH) throw new NotProto('it is nested too deeply');
        for (let inner = this.tag(); inner !== tag + 1; inner = this.tag()) this.skip(inner, depth + 1);
        return;
      case 5:
        this.#take(4);
        return;
      default:
        throw new NotProto('a group ends that did not begin, or a wire type is none');
    }
  }

  tag(): number {
    const tag = this.uint32();
    if (tag >>> 3 === 0) throw new NotProto('a field has the number 0');
    return tag;
  }

  #byte(): number {
    return this.#bytes[this.#take(1)] as number;
  }

  #take(bytes: number): number {
    const at = this.at;
    if (bytes > this.end - at) throw new NotProto('it ends too early');
    this.at = at + bytes;
    return at;
  }
}

/** As protobuf's own readers have it. */
export const MAX_DEPTH = 100;
