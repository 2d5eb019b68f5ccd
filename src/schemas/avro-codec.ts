/** Messages of Avro as JSON text, by a type, whatever made that. */

import type { AvroType } from './avro-table.ts';
import { type AvroTarget, convertAvro } from './avro-values.ts';
import { bytesOf } from './json-text.ts';
import { readUtf8, writeUtf8 } from './utf8.ts';
import { violation, wrongInput } from './violation.ts';

/** @param name the schema's, for error texts @throws MemphisError `INVALID_MESSAGE`, `SCHEMA_VIOLATION` */
export function writeAvro(name: string, type: AvroType, message: unknown): Uint8Array {
  const bytes = typeof message === 'string' ? writeUtf8(message) : bytesOf(message);
  if (bytes !== undefined) {
    convert(name, type, parse(name, bytes), 'text');
    return bytes;
  }
  if (typeof message !== 'object' || message === null) {
    throw wrongInput(`A message must be bytes, text or an object, not ${message === null ? 'null' : typeof message}.`);
  }
  return writeUtf8(JSON.stringify(convert(name, type, message, 'wire')));
}

/** @throws MemphisError `SCHEMA_VIOLATION` */
export function readAvro(name: string, type: AvroType, data: Uint8Array): unknown {
  return convert(name, type, parse(name, data), 'reader');
}

function convert(name: string, type: AvroType, value: unknown, target: AvroTarget): unknown {
  const converted = convertAvro(type, value, target);
  if ('issues' in converted) throw violation(name, converted.issues);
  return converted.value;
}

function parse(name: string, data: Uint8Array): unknown {
  try {
    return parseExactly(readUtf8(data));
  } catch {
    throw violation(name, [{ path: [], message: 'it is not JSON text in UTF-8; Avro binary is none' }]);
  }
}

/** Whole numbers beyond 2^53 as `bigint`; only looked for where there may be one. */
function parseExactly(text: string): unknown {
  if (!/\d{16}/.test(text)) return JSON.parse(text);
  const revive = (_: string, value: unknown, context: { readonly source?: string }): unknown => {
    const { source } = context;
    const isLong = typeof value === 'number' && !Number.isSafeInteger(value) && source !== undefined;
    return isLong && /^-?\d{1,25}$/.test(source) ? BigInt(source) : value;
  };
  return JSON.parse(text, revive as (key: string, value: unknown) => unknown);
}
