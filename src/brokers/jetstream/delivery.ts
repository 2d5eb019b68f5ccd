/** One delivery: the message as users see it, and what settling it needs. */

import type { Frame, HeaderList } from '../../connection/port.ts';
import type { StoredMessage } from '../../model/message.ts';
import { headerOf, toUserHeaders } from './headers.ts';
import { parseAckSubject } from './wire/ack.ts';

export interface Delivery {
  readonly message: StoredMessage;
  readonly stream: string;
  /** Where settling goes. */
  readonly ackSubject: string;
  /** All headers, the reserved ones too: a dead letter keeps them. */
  readonly headers: HeaderList;
  /** Messages behind this one that were never delivered. */
  readonly pending: number;
  /** Deliveries that the broker counted and we do not (`credits.ts`); `message.deliveryCount` is without them. */
  readonly credit: number;
}

/** A frame off a pull as a delivery. @throws MemphisError `BROKER_REFUSED` without a delivery's reply subject */
export function toDelivery(frame: Frame, station: string, partition: number): Delivery {
  const { stream, sequence, deliveryCount, timestamp, pending } = parseAckSubject(frame.reply);
  const key = headerOf(frame.headers, '$memphis_partitionKey');
  return {
    message: {
      id: `${stream}:${sequence}`,
      station,
      partition,
      sequence,
      deliveryCount,
      timestamp,
      headers: toUserHeaders(frame.headers),
      data: frame.data,
      ...(key === undefined ? {} : { partitionKey: decodeKey(key) }),
    },
    stream,
    ackSubject: frame.reply,
    headers: frame.headers,
    pending,
    credit: 0,
  };
}

/** The same delivery, of which some earlier ones do not count. */
export function withCredit(delivery: Delivery, credit: number): Delivery {
  if (credit === 0) return delivery;
  const deliveryCount = Math.max(1, delivery.message.deliveryCount - credit);
  return { ...delivery, credit, message: { ...delivery.message, deliveryCount } };
}

function decodeKey(key: string): string {
  try {
    return decodeURIComponent(key);
  } catch {
    return key; // written by somebody else: as it came
  }
}
