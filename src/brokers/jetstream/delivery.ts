/** One delivery: the message as users see it, and what settling it needs. */

import type { Frame, HeaderList } from '../../connection/port.ts';
import type { StoredMessage } from '../../model/message.ts';
import { headerOf, isOwnId, toUserHeaders } from './headers.ts';
import type { Delivery, Lane } from './lane.ts';
import { parseAckSubject } from './wire/ack.ts';

const RETRY_PREFIX = '$memphis_retry_';

/** Headers of a copy on the retry stream: which message it is, and what was with it. */
export const retryHeader = {
  /** Stream, sequence and time of the message itself. */
  stream: `${RETRY_PREFIX}stream`,
  sequence: `${RETRY_PREFIX}sequence`,
  storedAt: `${RETRY_PREFIX}stored_at`,
  /** Deliveries that handlers have seen. */
  deliveries: `${RETRY_PREFIX}deliveries`,
  /** Not before this time. */
  until: `${RETRY_PREFIX}until`,
} as const;

type Writable<T> = { -readonly [K in keyof T]: T[K] };

/** A frame off a pull as a delivery. @throws MemphisError `BROKER_REFUSED` without a delivery's reply subject */
export function toDelivery(frame: Frame, station: string, lane: Lane): Delivery {
  if (lane.rules !== undefined) return lane.rules.toDelivery(frame, lane);
  const { reply, headers: all } = frame; // read once: a frame decodes what it is asked for
  const position = parseAckSubject(reply);
  const origin = lane.isRetry ? originOf(all) : undefined;
  const { stream, sequence, timestamp } = origin ?? position;
  const key = headerOf(all, '$memphis_partitionKey');
  const headers = origin === undefined ? all : withoutRetryHeaders(all);
  const message: Writable<StoredMessage> = {
    id: `${stream}:${sequence}`,
    station,
    partition: lane.partition,
    sequence,
    deliveryCount: (origin?.deliveries ?? 0) + position.deliveryCount,
    timestamp,
    headers: toUserHeaders(headers),
    data: frame.data,
  };
  const delivery: Writable<Delivery> = {
    message,
    lane,
    laneSequence: position.sequence,
    laneDeliveries: position.deliveryCount,
    consumerSequence: position.consumerSequence,
    ackSubject: reply,
    headers,
    pending: position.pending,
    credit: 0,
  };
  // most have neither, and spreading them would cost as much as all the rest
  if (key !== undefined) message.partitionKey = decodeKey(key);
  if (origin?.untilMs !== undefined) delivery.untilMs = origin.untilMs;
  return delivery;
}

/** The same delivery, of which some earlier ones do not count. */
export function withCredit(delivery: Delivery, credit: number): Delivery {
  if (credit === 0) return delivery;
  const deliveryCount = Math.max(1, delivery.message.deliveryCount - credit);
  return { ...delivery, credit, message: { ...delivery.message, deliveryCount } };
}

interface Origin {
  readonly stream: string;
  readonly sequence: number;
  readonly timestamp: Date;
  readonly deliveries: number;
  readonly untilMs?: number;
}

/** Which message a copy is of; nothing for what was put on the retry stream by somebody else. */
function originOf(headers: HeaderList): Origin | undefined {
  const stream = headerOf(headers, retryHeader.stream);
  const sequence = Number(headerOf(headers, retryHeader.sequence));
  if (stream === undefined || !Number.isSafeInteger(sequence)) return undefined;
  const storedMs = Date.parse(headerOf(headers, retryHeader.storedAt) ?? '');
  const untilMs = Date.parse(headerOf(headers, retryHeader.until) ?? '');
  const deliveries = Number(headerOf(headers, retryHeader.deliveries) ?? 0);
  return {
    stream,
    sequence,
    timestamp: new Date(Number.isNaN(storedMs) ? 0 : storedMs),
    deliveries: Number.isSafeInteger(deliveries) && deliveries > 0 ? deliveries : 0,
    ...(Number.isNaN(untilMs) ? {} : { untilMs }),
  };
}

const withoutRetryHeaders = (headers: HeaderList): HeaderList =>
  headers.filter(([name, value]) => !name.startsWith(RETRY_PREFIX) && !/^nats-/i.test(name) && !isOwnId(name, value));

/** A partition key as its header has it. */
export function decodeKey(key: string): string {
  try {
    return decodeURIComponent(key);
  } catch {
    return key; // written by somebody else: as it came
  }
}
