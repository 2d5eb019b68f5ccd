/** The messages of an event, checked one by one. */

import type { Headers, StoredMessage } from '../model/message.ts';
import { asList, asObject, asText, asWhole, nameType, refuse } from './shape.ts';

/** @throws MemphisError `INVALID_EVENT` */
export function readMessages(station: string, value: unknown): readonly StoredMessage[] {
  const seen = new Set<string>();
  return asList('messages', value).map((item, index) => {
    const message = readMessage(index, station, item);
    if (seen.has(message.id)) refuse('id', `${JSON.stringify(message.id)} comes twice`, index);
    seen.add(message.id);
    return message;
  });
}

function readMessage(index: number, station: string, item: unknown): StoredMessage {
  const fields = asObject('', item, index);
  const sequence = asWhole('sequence', fields.sequence, 1, index);
  const { partitionKey } = fields;
  return {
    id: readId(index, fields.id, sequence),
    station,
    partition: asWhole('partition', fields.partition, 0, index),
    sequence,
    deliveryCount: asWhole('deliveryCount', fields.deliveryCount, 1, index),
    timestamp: readTimestamp(index, fields.timestamp),
    headers: readHeaders(index, fields.headers),
    ...(partitionKey !== undefined && { partitionKey: asText('partitionKey', partitionKey, index) }),
    data: readBody(index, fields.body, fields.isBase64Encoded),
  };
}

function readId(index: number, value: unknown, sequence: number): string {
  const id = asText('id', value, index);
  if (id.length <= 300 && id.endsWith(`:${sequence}`) && id.indexOf(':') > 0) return id;
  return refuse('id', 'must be <stream>:<sequence> with the sequence of this message', index);
}

const utcPattern = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$/;

function readTimestamp(index: number, value: unknown): Date {
  const text = asText('timestamp', value, index);
  const date = new Date(text);
  // `Date` rolls 30 February over into March, hence the comparison of the day
  const isReal = utcPattern.test(text) && date.getUTCDate() === Number(text.slice(8, 10));
  return isReal ? date : refuse('timestamp', 'must be a date and time in UTC, such as 2026-01-01T00:00:00.000Z', index);
}

function readHeaders(index: number, value: unknown): Headers {
  for (const [name, text] of Object.entries(asObject('headers', value, index))) {
    if (typeof text !== 'string') {
      refuse(`headers[${JSON.stringify(name.slice(0, 100))}]`, `must be a text, it is ${nameType(text)}`, index);
    }
  }
  return { ...(value as Headers) };
}

function readBody(index: number, body: unknown, isBase64Encoded: unknown): Uint8Array {
  if (typeof body !== 'string') refuse('body', `must be a text, it is ${nameType(body)}`, index);
  if (typeof isBase64Encoded !== 'boolean') {
    refuse('isBase64Encoded', `must be true or false, it is ${nameType(isBase64Encoded)}`, index);
  }
  if (isBase64Encoded && !isBase64(body))
    refuse('body', 'is not valid base64, although isBase64Encoded says so', index);
  // Half of a surrogate pair has no UTF-8 form: encoding it would change the payload silently.
  if (!isBase64Encoded && !body.isWellFormed()) refuse('body', 'is no valid Unicode text', index);
  return bytesOf(body, isBase64Encoded ? 'base64' : 'utf8');
}

/** Buffer skips over what is no base64, which would change a payload silently. */
function isBase64(text: string): boolean {
  return text.length % 4 === 0 && !/[^A-Za-z0-9+/]/.test(text.replace(/={1,2}$/, ''));
}

// A plain view: a Buffer would change what users get from `data` between the two ways in.
function bytesOf(body: string, encoding: 'base64' | 'utf8'): Uint8Array {
  const buffer = Buffer.from(body, encoding);
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength);
}
