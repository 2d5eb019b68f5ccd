/** Messages as JSON text, without the silent losses of `JSON.stringify`: what JSON cannot say is an error. */

import { holdsFields } from './holds-fields.ts';
import { readUtf8, writeUtf8 } from './utf8.ts';
import { wrongInput } from './violation.ts';

/** Exact digits in JSON text; in Node since 21. */
const { rawJSON } = JSON as unknown as { readonly rawJSON: (text: string) => unknown };

/** A message as it goes out, and the value that it says. */
export interface JsonMessage {
  readonly data: Uint8Array;
  readonly value: unknown;
}

/** What is no JSON text. */
export class NotJson extends Error {}

/** @returns bytes of any view; nothing for what is none. @throws MemphisError `INVALID_MESSAGE` where their memory is gone */
export function bytesOf(message: unknown): Uint8Array | undefined {
  const isView = ArrayBuffer.isView(message);
  if (!isView && !(message instanceof ArrayBuffer)) return undefined;
  const buffer = isView ? message.buffer : message;
  if (buffer instanceof ArrayBuffer && buffer.detached) {
    throw wrongInput('The memory of the bytes was transferred away; nothing is left in them.');
  }
  return isView ? new Uint8Array(buffer, message.byteOffset, message.byteLength) : new Uint8Array(buffer);
}

/** @throws NotJson for bytes that are no JSON text in UTF-8 */
export function parseJsonBytes(data: Uint8Array): unknown {
  try {
    return JSON.parse(readUtf8(data));
  } catch {
    throw new NotJson('it is not JSON text in UTF-8'); // the parser's own words would quote the text
  }
}

/**
 * Bytes and text are taken as JSON text and go out as they are; objects, lists and maps of texts are written.
 *
 * @throws MemphisError `INVALID_MESSAGE` for what JSON cannot say; NotJson
 */
export function toJsonMessage(message: unknown): JsonMessage {
  const bytes = typeof message === 'string' ? writeUtf8(message) : bytesOf(message);
  if (bytes !== undefined) return { data: bytes, value: parseJsonBytes(bytes) };
  if (typeof message !== 'object' || message === null) {
    throw wrongInput(`A message must be bytes, text or an object, not ${message === null ? 'null' : typeof message}.`);
  }
  const text = write(message);
  return { data: writeUtf8(text), value: JSON.parse(text) };
}

function write(message: object): string {
  let text: string | undefined;
  try {
    text = JSON.stringify(message, replace);
  } catch (error) {
    if (error instanceof Unsayable) throw wrongInput(`The message cannot be written as JSON: ${error.message}.`);
    throw wrongInput('The message cannot be written as JSON; see the cause.', error);
  }
  if (text === undefined) throw wrongInput('The message has a toJSON that returns nothing.');
  return text;
}

/** Nothing of it would be written; boxed texts and numbers are. */
function isLost(value: object | null): boolean {
  if (value === null || Array.isArray(value) || Object.keys(value).length > 0 || holdsFields(value)) return false;
  return !/^\[object (String|Number|Boolean|BigInt)\]$/.test(Object.prototype.toString.call(value));
}

class Unsayable extends Error {}

/** Names the key, never a value. */
function replace(this: unknown, key: string, value: unknown): unknown {
  const refuse = (what: string): never => {
    throw new Unsayable(`${key === '' ? 'it' : `the value of ${JSON.stringify(key.slice(0, 100))}`} is ${what}`);
  };
  switch (typeof value) {
    case 'bigint':
      return rawJSON(String(value));
    case 'number':
      return Number.isFinite(value) ? value : refuse('no number that JSON has');
    case 'function':
    case 'symbol':
      return refuse(`a ${typeof value}`);
    case 'undefined':
      // in a list it would become null, which is another value
      return Array.isArray(this) ? refuse('undefined, in a list') : value;
    case 'object':
      if (value instanceof Map) {
        if (![...value.keys()].every((name) => typeof name === 'string')) refuse('a Map with keys other than texts');
        return Object.fromEntries(value);
      }
      // a Set, a promise, an error: written as {} they would be lost without a word
      if (isLost(value)) refuse('nothing that JSON can write');
      if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) refuse('bytes, which JSON has not: give text');
      return value;
    default:
      return value;
  }
}
