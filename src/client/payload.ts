/** What users hand to `produce` -> bytes. */

import { MemphisError } from '../model/errors.ts';

/** What can be produced without a schema: bytes and text as they are, anything else that JSON can say as JSON. */
export type Payload = Uint8Array | ArrayBuffer | string | object;

const encoder = new TextEncoder();

/** Views share memory with whoever handed them in, which may be written to later. */
export const isBytes = (message: unknown): message is ArrayBufferView | ArrayBuffer =>
  ArrayBuffer.isView(message) || message instanceof ArrayBuffer;

/** @throws MemphisError `INVALID_MESSAGE` */
export function toBytes(message: unknown): Uint8Array {
  if (typeof message === 'string') return encoder.encode(message);
  if (message instanceof Uint8Array) return message;
  if (message instanceof ArrayBuffer) return new Uint8Array(message);
  if (ArrayBuffer.isView(message)) return new Uint8Array(message.buffer, message.byteOffset, message.byteLength);
  if (typeof message !== 'object' || message === null) {
    throw new MemphisError(
      'INVALID_MESSAGE',
      `A message must be bytes, text or an object, not ${message === null ? 'null' : typeof message}.`,
    );
  }
  return encoder.encode(toJson(message));
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
    throw new MemphisError(
      'INVALID_MESSAGE',
      `An object of class ${message.constructor?.name || 'unknown'} has nothing that JSON can write.`,
    );
  }
  return json;
}

/** Made by a literal or by `JSON.parse`, also in another realm. */
function isPlain(message: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(message);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}
