/** Messages of protobuf, for whoever reads them. */

import { decodeProto } from './proto-decode.ts';
import { NotProto } from './proto-input.ts';
import type { ProtoTable } from './proto-table.ts';
import { violation } from './violation.ts';

/** @param name the schema's, for error texts @throws MemphisError `SCHEMA_VIOLATION` */
export function readProto(name: string, table: ProtoTable, data: Uint8Array): unknown {
  try {
    return decodeProto(table, data);
  } catch (error) {
    if (!(error instanceof NotProto)) throw error;
    throw violation(name, [{ path: [], message: `it is no such protobuf message: ${error.message}` }]);
  }
}
