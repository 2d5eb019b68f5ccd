/** What users hand to `produce` -> bytes. */

import { MemphisError } from '../model/errors.ts';

/** What can be produced without a schema: bytes and text as they are, anything else that JSON can say as JSON. */
export type Payload = Uint8Array | ArrayBuffer | string | object;

const encoder = new TextEncoder();

/** @throws MemphisError `INVALID_MESSAGE` */
export function toBytes(message: unknown): Uint8Array {
  if (typeof message === 'string') return encoder.encode(message);
  if (message instanceof Uint8Array) return message;
  if (message instanceof ArrayBuffer) return new Uint8Array(message);
  if (typeof message !== 'object' || message === null) {
    throw new MemphisError(
      'INVALID_MESSAGE',
      `A message must be bytes, text or an object, not ${message === null ? 'null' : typeof message}.`,
    );
  }
  try {
    return encoder.encode(JSON.stringify(message));
  } catch (error) {
    throw new MemphisError('INVALID_MESSAGE', 'The object cannot be written as JSON.', { cause: error });
  }
}
