/** Storing a message: a publish with a reply subject, answered by a PubAck. */

import type { Frame, HeaderLines, HeaderList } from '../../../connection/port.ts';
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
  const sequence = frame.latin1 === undefined ? 0 : plainSequence(frame.latin1);
  if (sequence > 0) return { sequence, duplicate: false };
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

/** The one answer that comes by the thousand: a name without escapes, a number that is one for certain, and nothing else. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what a name cannot hold
const PLAIN = /^\{"stream":"[^"\\\u0000-\u001f\u007f-\u009f]*", ?"seq":([1-9]\d{0,14})\}$/;

/** @returns its sequence; 0 for any other answer */
export function plainSequence(text: string): number {
  return Number(PLAIN.exec(text)?.[1] ?? 0);
}

/** How much a stream keeps, and where. */
export interface StreamRoom {
  readonly maxBytes: number;
  readonly isOnFile: boolean;
}

/** The size that a stream counts for a message with headers: measured on 2.9.10 and 2.15.2. */
export function storedSize(
  subject: string,
  headers: HeaderList | HeaderLines,
  data: Uint8Array,
  { isOnFile }: StreamRoom,
): number {
  return frameSize(headers, data) + Buffer.byteLength(subject) + (isOnFile ? 34 : 16);
}

const BLOCK_FRAME_BYTES = 'NATS/1.0\r\n\r\n'.length;

/** The size on the wire that the server holds against max_payload: header block and payload. */
export function frameSize(headers: HeaderList | HeaderLines, data: Uint8Array): number {
  if (headers.length === 0) return data.length;
  let size = BLOCK_FRAME_BYTES + data.length;
  if (typeof headers === 'string') return size + Buffer.byteLength(headers);
  for (const [name, value] of headers) size += Buffer.byteLength(name) + Buffer.byteLength(value) + ': \r\n'.length;
  return size;
}

/** No less than `frameSize`, found without a look at the characters. */
export function mostFrameSize(lines: HeaderLines, data: Uint8Array): number {
  return 3 * lines.length + BLOCK_FRAME_BYTES + data.length;
}
