/** Messages of protobuf by a table, for whoever writes them. */

import { bytesOf } from './json-text.ts';
import { readProto } from './proto-decoder.ts';
import { encodeProto } from './proto-encode.ts';
import type { ProtoTable } from './proto-table.ts';
import { violation, wrongInput } from './violation.ts';

/** @param name the schema's, for error texts @throws MemphisError `INVALID_MESSAGE`, `SCHEMA_VIOLATION` */
export function writeProto(name: string, table: ProtoTable, message: unknown): Uint8Array {
  const bytes = bytesOf(message);
  if (bytes !== undefined) {
    readProto(name, table, bytes);
    return bytes; // as they are: fields that this version does not know stay in
  }
  if (typeof message !== 'object' || message === null || Array.isArray(message)) {
    const found = Array.isArray(message) ? 'a list' : message === null ? 'null' : typeof message;
    throw wrongInput(`A message of protobuf must be bytes or an object, not ${found}.`);
  }
  const written = encodeProto(table, message);
  if ('issues' in written) throw violation(name, written.issues);
  if (written.hasUnknown) readProto(name, table, written.data); // nobody knows what was in there
  return written.data;
}
