/** The event of a pushed batch, version 1.0: messages to JSON and back, and what their JSON weighs. Pure. */

import type { Headers, StoredMessage } from '../model/message.ts';
import { readMessages } from './read-event.ts';
import { asObject, asText, refuse } from './shape.ts';
import { isUtf8 } from './utf8.ts';

/** One message of a {@link MemphisEvent}. */
export interface MemphisEventMessage {
  /** `<stream>:<sequence>`, the same at each redelivery. */
  readonly id: string;
  readonly partition: number;
  readonly sequence: number;
  /** 1 at the first delivery. */
  readonly deliveryCount: number;
  /** When the broker stored it; ISO 8601 in UTC. */
  readonly timestamp: string;
  readonly headers: Headers;
  /** The key that chose the partition, where the producer gave one. */
  readonly partitionKey?: string;
  /** The payload: as text where it is valid UTF-8, else in base64. */
  readonly body: string;
  readonly isBase64Encoded: boolean;
}

/** What a poller sends to a function. */
export interface MemphisEvent {
  readonly eventSource: 'memphis';
  readonly eventVersion: '1.0';
  /** Name of the mapping that sent it. */
  readonly mapping: string;
  readonly station: string;
  readonly group: string;
  readonly messages: readonly MemphisEventMessage[];
}

/** Where the messages of an event come from. */
export interface EventSource {
  readonly mapping: string;
  readonly station: string;
  readonly group: string;
}

/** The content of an event as plain data. */
export interface PushedMessages extends EventSource {
  readonly messages: readonly StoredMessage[];
}

/** The event for some messages. */
export function toEvent(source: EventSource, messages: readonly StoredMessage[]): MemphisEvent {
  const { mapping, station, group } = source;
  const encoded = messages.map(toEventMessage);
  return { eventSource: 'memphis', eventVersion: '1.0', mapping, station, group, messages: encoded };
}

/**
 * Reads an event. Fields that a later 1.x may add are passed over; any other difference is refused.
 *
 * @throws MemphisError `INVALID_EVENT`, which says what is wrong and where, without quoting payload
 */
export function fromEvent(event: unknown): PushedMessages {
  const fields = asObject('the event', event);
  if (fields.eventSource !== 'memphis') refuse('eventSource', "must be 'memphis'");
  const version = asText('eventVersion', fields.eventVersion);
  if (!/^1\.\d+$/.test(version)) refuse('eventVersion', `${JSON.stringify(version.slice(0, 20))} is none of 1.x`);
  const mapping = asText('mapping', fields.mapping);
  const station = asText('station', fields.station);
  const group = asText('group', fields.group);
  return { mapping, station, group, messages: readMessages(station, fields.messages) };
}

/** Bytes of the JSON of an event without messages; messages add their {@link encodedSize} and a comma between two. */
export function emptyEventSize(source: EventSource): number {
  return Buffer.byteLength(JSON.stringify(toEvent(source, [])));
}

/** Bytes of the JSON of one message in an event, exactly, without building the body. */
export function encodedSize(message: StoredMessage): number {
  const { data } = message;
  const asIs = isUtf8(data);
  const frame = Buffer.byteLength(JSON.stringify(describe(message, '', !asIs)));
  return frame + (asIs ? jsonTextSize(data) : Math.ceil(data.length / 3) * 4);
}

function toEventMessage(message: StoredMessage): MemphisEventMessage {
  const { data } = message;
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  const asIs = isUtf8(data);
  return describe(message, bytes.toString(asIs ? 'utf8' : 'base64'), !asIs);
}

function describe(message: StoredMessage, body: string, isBase64Encoded: boolean): MemphisEventMessage {
  const { id, partition, sequence, deliveryCount, timestamp, headers, partitionKey } = message;
  return {
    id,
    partition,
    sequence,
    deliveryCount,
    timestamp: timestamp.toISOString(),
    headers,
    ...(partitionKey !== undefined && { partitionKey }),
    body,
    isBase64Encoded,
  };
}

/** Bytes of UTF-8 text inside a JSON string: quotes, backslashes and control characters are escaped, nothing else. */
function jsonTextSize(data: Uint8Array): number {
  let size = data.length;
  for (const byte of data) {
    if (byte === 0x22 || byte === 0x5c) size += 1;
    // \b \t \n \f \r have short forms, other control characters are six bytes long
    else if (byte < 0x20) size += byte === 0x0b || byte < 0x08 || byte > 0x0d ? 5 : 1;
  }
  return size;
}
