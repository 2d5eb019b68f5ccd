/** Storing a message: a publish with a reply subject, answered by a PubAck. */

import type { Frame, HeaderList } from '../../../connection/port.ts';
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
  const { data } = frame;
  const sequence = plainSequence(data);
  if (sequence > 0) return { sequence, duplicate: false };
  const reply = parseReply(`store a message on ${subject}`, data);
  // what a leader only began to store has no sequence yet, and may never get one
  if (reply.duplicate === true && reply.seq === 0 && !mayLackSequence) {
    throw new MemphisError('JETSTREAM_UNAVAILABLE', `Storing a message on ${subject} is under way. Try again.`);
  }
  if (typeof reply.seq !== 'number') {
    throw new MemphisError('BROKER_REFUSED', `Could not store a message on ${subject}: the answer has no sequence.`);
  }
  return { sequence: reply.seq, duplicate: reply.duplicate === true };
}

const [BLANK, QUOTE, COMMA, ZERO, NINE, BACKSLASH, END] = [32, 34, 44, 48, 57, 92, 125];
/** So many digits are a whole number for certain. */
const MAX_DIGITS = 15;

/**
 * The sequence in the one answer that comes by the thousand: a name without escapes, a number, and nothing else.
 *
 * @returns 0 for any other answer
 */
export function plainSequence(data: Uint8Array): number {
  let at = 0;
  const follows = (text: string): boolean => {
    for (let index = 0; index < text.length; index++) if (data[at++] !== text.charCodeAt(index)) return false;
    return true;
  };
  if (!follows('{"stream":"')) return 0;
  while (data[at] !== QUOTE) if (at === data.length || data[at++] === BACKSLASH) return 0;
  if (data[++at] !== COMMA) return 0;
  if (data[++at] === BLANK) at++; // servers write one, or none
  if (!follows('"seq":')) return 0;
  const first = at;
  let sequence = 0;
  for (let byte = data[at]; byte !== undefined && byte >= ZERO && byte <= NINE; byte = data[++at]) {
    sequence = sequence * 10 + byte - ZERO;
  }
  const isNumber = at - first <= MAX_DIGITS && data[first] !== ZERO;
  return isNumber && data[at] === END && at === data.length - 1 ? sequence : 0;
}

/** How much a stream keeps, and where. */
export interface StreamRoom {
  readonly maxBytes: number;
  readonly isOnFile: boolean;
}

/** The size that a stream counts for a message with headers: measured on 2.9.10 and 2.15.2. */
export function storedSize(subject: string, headers: HeaderList, data: Uint8Array, { isOnFile }: StreamRoom): number {
  return frameSize(headers, data) + Buffer.byteLength(subject) + (isOnFile ? 34 : 16);
}

/** No less than `frameSize`, found without a look at the characters. */
export function mostFrameSize(headers: HeaderList, data: Uint8Array): number {
  let characters = 0;
  for (const [name, value] of headers) characters += name.length + value.length + 4;
  return 3 * characters + 12 + data.length;
}

/** The size on the wire that the server holds against max_payload: header block and payload. */
export function frameSize(headers: HeaderList, data: Uint8Array): number {
  let size = data.length;
  if (headers.length > 0) size += 'NATS/1.0\r\n\r\n'.length;
  for (const [name, value] of headers) size += Buffer.byteLength(name) + Buffer.byteLength(value) + ': \r\n'.length;
  return size;
}
