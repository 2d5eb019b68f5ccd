/** The messages of an event, checked one by one. */

import type { Headers, StoredMessage } from '../model/message.ts';
import { asList, asObject, asText, asWhole, nameType, refuse } from './shape.ts';

/** @throws MemphisError `INVALID_EVENT` */
export function readMessages(station: string, value: unknown): readonly StoredMessage[] {
  const seen = new Set<string>();
  return asList('messages', value).map((item, index) => {
    const where = `messages[${index}]`;
    const message = readMessage(where, station, item);
    if (seen.has(message.id)) refuse(`${where}.id`, `${JSON.stringify(message.id)} comes twice`);
    seen.add(message.id);
    return message;
  });
}

function readMessage(where: string, station: string, item: unknown): StoredMessage {
  const fields = asObject(where, item);
  const sequence = asWhole(`${where}.sequence`, fields.sequence, 1);
  const { partitionKey } = fields;
  return {
    id: readId(`${where}.id`, fields.id, sequence),
    station,
    partition: asWhole(`${where}.partition`, fields.partition, 0),
    sequence,
    deliveryCount: asWhole(`${where}.deliveryCount`, fields.deliveryCount, 1),
    timestamp: readTimestamp(`${where}.timestamp`, fields.timestamp),
    headers: readHeaders(`${where}.headers`, fields.headers),
    ...(partitionKey !== undefined && { partitionKey: asText(`${where}.partitionKey`, partitionKey) }),
    data: readBody(where, fields.body, fields.isBase64Encoded),
  };
}

function readId(where: string, value: unknown, sequence: number): string {
  const id = asText(where, value);
  if (id.length <= 300 && id.endsWith(`:${sequence}`) && id.indexOf(':') > 0) return id;
  return refuse(where, 'must be <stream>:<sequence> with the sequence of this message');
}

const utcPattern = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$/;

function readTimestamp(where: string, value: unknown): Date {
  const text = asText(where, value);
  const date = new Date(text);
  // `Date` rolls 30 February over into March, hence the comparison of the day.
  const isReal =
    utcPattern.test(text) && !Number.isNaN(date.getTime()) && date.toISOString().startsWith(text.slice(0, 10));
  return isReal ? date : refuse(where, 'must be a date and time in UTC, such as 2026-01-01T00:00:00.000Z');
}

function readHeaders(where: string, value: unknown): Headers {
  for (const [name, text] of Object.entries(asObject(where, value))) {
    if (typeof text !== 'string') {
      refuse(`${where}[${JSON.stringify(name.slice(0, 100))}]`, `must be a text, it is ${nameType(text)}`);
    }
  }
  return { ...(value as Headers) };
}

function readBody(where: string, body: unknown, isBase64Encoded: unknown): Uint8Array {
  if (typeof body !== 'string') refuse(`${where}.body`, `must be a text, it is ${nameType(body)}`);
  if (typeof isBase64Encoded !== 'boolean') {
    refuse(`${where}.isBase64Encoded`, `must be true or false, it is ${nameType(isBase64Encoded)}`);
  }
  if (isBase64Encoded && !isBase64(body))
    refuse(`${where}.body`, 'is not valid base64, although isBase64Encoded says so');
  // Half of a surrogate pair has no UTF-8 form: encoding it would change the payload silently.
  if (!isBase64Encoded && !body.isWellFormed()) refuse(`${where}.body`, 'is no valid Unicode text');
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
