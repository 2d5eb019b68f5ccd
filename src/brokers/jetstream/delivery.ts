/** One delivery: the message as users see it, and what settling it needs. */

import type { Frame, HeaderList } from '../../connection/port.ts';
import type { Headers } from '../../model/message.ts';
import { headerOf, isOwnId, toUserHeaders } from './headers.ts';
import type { Decision, Delivery, Lane } from './lane.ts';
import { type DeliveryPosition, parseAckSubject } from './wire/ack.ts';

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

/**
 * What it says is read off the frame when somebody asks: most handlers ask for the payload alone. What nearly each one comes to have is set
 * when it is made: a field that comes later lies in a store of its own (docs/decisions/023).
 */
export class Delivered implements Delivery {
  readonly station: string;
  readonly lane: Lane;
  readonly laneDeliveries: number;
  credit = 0;
  /** Deliveries of the message before it became this copy. */
  before = 0;
  owner: object | undefined = undefined;
  place = 0;
  decision: Decision | undefined = undefined;
  readonly #frame: Frame;
  #position: DeliveryPosition | undefined = undefined;
  #data: Uint8Array | undefined = undefined;
  #headers: Headers | undefined;

  constructor(frame: Frame, station: string, lane: Lane) {
    this.station = station;
    this.lane = lane;
    this.#frame = frame;
    // nearly always the first one, which needs no look at the rest
    const isFirst = lane.firstAck !== undefined && frame.reply.startsWith(lane.firstAck);
    this.laneDeliveries = isFirst ? 1 : this.position.deliveryCount;
  }

  get position(): DeliveryPosition {
    this.#position ??= parseAckSubject(this.ackSubject);
    return this.#position;
  }

  get ackSubject(): string {
    return this.#frame.reply;
  }

  get id(): string {
    return `${this.position.stream}:${this.sequence}`;
  }

  get partition(): number {
    return this.lane.partition;
  }

  get sequence(): number {
    return this.position.sequence;
  }

  get timestamp(): Date {
    return this.position.timestamp;
  }

  get deliveryCount(): number {
    return Math.max(1, this.before + this.laneDeliveries - this.credit);
  }

  get headers(): Headers {
    this.#headers ??= toUserHeaders(this.allHeaders);
    return this.#headers;
  }

  get allHeaders(): HeaderList {
    return this.#frame.headers;
  }

  /** Nothing where the producer gave none, as its type says by a question mark, which no getter can have. */
  get partitionKey(): string {
    const key = headerOf(this.#frame.headers, '$memphis_partitionKey');
    return key === undefined ? (undefined as never) : decodeKey(key);
  }

  get data(): Uint8Array {
    this.#data ??= this.#frame.data;
    return this.#data;
  }
}

/** A frame off a pull as a delivery. @throws MemphisError `BROKER_REFUSED` without a delivery's reply subject */
export function toDelivery(frame: Frame, station: string, lane: Lane): Delivery {
  return lane.rules?.toDelivery(frame, lane) ?? makeDelivery(frame, station, lane);
}

/** The same, whatever rules its lane has. @throws as there */
export function makeDelivery(frame: Frame, station: string, lane: Lane): Delivery {
  const delivery = new Delivered(frame, station, lane);
  if (lane.isRetry) becomeOrigin(delivery);
  return delivery;
}

/** From now on a delivery says these things of itself: a copy, what the message that it is of was. */
export function become(delivery: Delivery, said: Partial<Delivery>): Delivery {
  for (const [name, value] of Object.entries(said))
    Object.defineProperty(delivery, name, { value, configurable: true });
  return delivery;
}

/** Which message a copy is of; not of what was put on the retry stream by somebody else. */
function becomeOrigin(delivery: Delivered): void {
  const all = delivery.allHeaders;
  const stream = headerOf(all, retryHeader.stream);
  const sequence = Number(headerOf(all, retryHeader.sequence));
  if (stream === undefined || !Number.isSafeInteger(sequence)) return;
  const timeOf = (name: string): number => Date.parse(headerOf(all, name) ?? '');
  const deliveries = Number(headerOf(all, retryHeader.deliveries) ?? 0);
  if (Number.isSafeInteger(deliveries) && deliveries > 0) delivery.before = deliveries;
  become(delivery, {
    id: `${stream}:${sequence}`,
    sequence,
    timestamp: new Date(timeOf(retryHeader.storedAt) || 0),
    untilMs: timeOf(retryHeader.until) || undefined,
    allHeaders: withoutRetryHeaders(all),
  });
}

function withoutRetryHeaders(headers: HeaderList): HeaderList {
  return headers.filter(
    ([name, value]) => !name.startsWith(RETRY_PREFIX) && !/^nats-/i.test(name) && !isOwnId(name, value),
  );
}

/** A partition key as its header has it. */
export function decodeKey(key: string): string {
  try {
    return decodeURIComponent(key);
  } catch {
    return key; // written by somebody else: as it came
  }
}
