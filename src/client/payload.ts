/** What users hand to `produce` -> bytes. */

import { MemphisError } from '../model/errors.ts';
import { isPlain } from '../model/fields.ts';

/** What can be produced without a schema: bytes and text as they are, anything else that JSON can say as JSON. */
export type Payload = Uint8Array | ArrayBuffer | string | object;

const encoder = new TextEncoder();

/** Views share memory with whoever handed them in, which may be written to later. */
export function isBytes(message: unknown): message is ArrayBufferView | ArrayBuffer {
  try {
    return ArrayBuffer.isView(message) || message instanceof ArrayBuffer;
  } catch {
    return false; // a proxy that was revoked
  }
}

/** @throws MemphisError `INVALID_MESSAGE` */
export function toBytes(message: unknown): Uint8Array {
  if (typeof message === 'string') return encoder.encode(message);
  if (isBytes(message)) return viewOf(message);
  if (typeof message !== 'object' || message === null) {
    throw new MemphisError(
      'INVALID_MESSAGE',
      `A message must be bytes, text or an object, not ${message === null ? 'null' : typeof message}.`,
    );
  }
  return encoder.encode(toJson(message));
}

function viewOf(bytes: ArrayBufferView | ArrayBuffer): Uint8Array {
  const buffer = ArrayBuffer.isView(bytes) ? bytes.buffer : bytes;
  // its memory went to a worker or a copy: it would be stored as an empty message
  if (buffer instanceof ArrayBuffer && buffer.detached) {
    throw new MemphisError('INVALID_MESSAGE', 'The memory of the bytes was transferred away; nothing is left in them.');
  }
  if (bytes instanceof Uint8Array) return bytes;
  return ArrayBuffer.isView(bytes)
    ? new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    : new Uint8Array(bytes);
}

function toJson(message: object): string {
  let json: string | undefined;
  try {
    json = JSON.stringify(message);
  } catch (error) {
    throw new MemphisError('INVALID_MESSAGE', 'The object cannot be written as JSON.', { cause: error });
  }
  if (json === undefined) throw new MemphisError('INVALID_MESSAGE', 'The object has a toJSON that returns nothing.');
  if (json === '{}' && !isPlain(message)) {
    // a Map, an Error, a promise that was not awaited: stored as {} it would be lost without a word
    const name: unknown = Object.getPrototypeOf(message).constructor?.name;
    throw new MemphisError(
      'INVALID_MESSAGE',
      `An object of class ${(typeof name === 'string' && name) || 'unknown'} has nothing that JSON can write.`,
    );
  }
  return json;
}
