/** Storing a message: a publish with a reply subject, answered by a PubAck. */

import type { Frame } from '../../../connection/port.ts';
import { MemphisError } from '../../../model/errors.ts';
import { parseReply } from './api.ts';

/** What the server said of a stored message. */
export interface PubAck {
  readonly sequence: number;
  readonly duplicate: boolean;
}

/*
 * { "stream": "orders$1", "seq": 1, "duplicate"?: true }, or { "error": {..} }
 * A Memphis broker says 0 of a copy whose first one was not kept, since no group wanted it (memphis-wire 4.4).
 * Nobody listens on the subject: an empty frame with status 503.
 */
export function parsePubAck(subject: string, frame: Frame, mayLackSequence = false): PubAck | 'nobody' {
  if (frame.status === 503) return 'nobody';
  const reply = parseReply(`store a message on ${subject}`, frame.data);
  // what a leader only began to store has no sequence yet, and may never get one
  if (reply.duplicate === true && reply.seq === 0 && !mayLackSequence) {
    throw new MemphisError('JETSTREAM_UNAVAILABLE', `Storing a message on ${subject} is under way. Try again.`);
  }
  if (typeof reply.seq !== 'number') {
    throw new MemphisError('BROKER_REFUSED', `Could not store a message on ${subject}: the answer has no sequence.`);
  }
  return { sequence: reply.seq, duplicate: reply.duplicate === true };
}

/** How much a stream keeps, and where. */
export interface StreamRoom {
  readonly maxBytes: number;
  readonly isOnFile: boolean;
}

/** The size that a stream counts for a message with headers: measured on 2.9.10 and 2.15.2. */
export function storedSize(
  subject: string,
  headers: readonly (readonly [string, string])[],
  data: Uint8Array,
  { isOnFile }: StreamRoom,
): number {
  return frameSize(headers, data) + Buffer.byteLength(subject) + (isOnFile ? 34 : 16);
}

/** The size on the wire that the server holds against max_payload: header block and payload. */
export function frameSize(headers: readonly (readonly [string, string])[], data: Uint8Array): number {
  let size = data.length;
  if (headers.length > 0) size += 'NATS/1.0\r\n\r\n'.length;
  for (const [name, value] of headers) size += Buffer.byteLength(name) + Buffer.byteLength(value) + ': \r\n'.length;
  return size;
}
