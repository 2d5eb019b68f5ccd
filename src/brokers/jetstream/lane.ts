/** A lane: one durable that a reader pulls from. A group has one for each partition, and more for what comes back later. */

import type { Frame, HeaderList } from '../../connection/port.ts';
import type { StoredMessage } from '../../model/message.ts';
import type { Outcome, Settled } from '../../model/outcome.ts';
import { type DeliveryPosition, firstAckOf } from './wire/ack.ts';
import type { Durable } from './wire/consumers.ts';

export interface Lane {
  readonly stream: string;
  readonly durable: string;
  /** The partition whose messages it carries; 0 where there are none. */
  readonly partition: number;
  /** It carries copies that were parked or put back (`retries.ts`), each with its origin in its headers. */
  readonly isRetry: boolean;
  /** Its stream keeps what is settled, so it has to be deleted (`retries.ts`). */
  readonly keepsSettled: boolean;
  readonly ackWaitMs: number;
  /** Programs of others read it too, and would not find what is parked. */
  readonly isShared?: boolean;
  /** How often the broker delivers; -1: no limit. */
  readonly maxDeliver: number;
  /** How many may be out unsettled, delayed ones included; -1: no limit. */
  readonly maxAckPending: number;
  /** How many one request may ask for; left out or 0: no limit. */
  readonly maxBatch?: number;
  /** How long one request may wait; left out or 0: no limit. */
  readonly maxExpiresMs?: number;
  /**
   * The sequence at which a group of our making was to begin. In a cluster the node that leads its durable may lag
   * behind the stream by then, and begins at what it has: earlier.
   */
  readonly begin?: number;
  readonly rules?: LaneRules;
  /** How the reply subjects of its first deliveries begin: nearly all that come. */
  readonly firstAck?: string;
  /** Its durable was made by the very look-up that this is from: what was asked of it before met nobody. */
  readonly isNew?: true | undefined;
}

/** What a lane does otherwise than others, where its messages are not those of a partition. */
export interface LaneRules {
  /** A frame as a delivery. */
  toDelivery(frame: Frame, lane: Lane): Delivery;
  /** Whether somebody else has settled it meanwhile: no handler gets it. */
  isOver(delivery: Delivery, limitMs: number): Promise<boolean>;
  /** After an ack is confirmed. Takes no longer than that, and never rejects. */
  onAcked(delivery: Delivery, limitMs: number): Promise<void>;
}

/** Whether a delivery lies before the place at which its group was to begin. */
export function isBeforeBegin({ isRetry, begin = 0 }: Lane, sequence: number): boolean {
  return !isRetry && sequence < begin;
}

/** Only one message is out at a time, so that a redelivery is never overtaken. */
export function isOrdered(lane: Lane): boolean {
  return lane.maxAckPending === 1;
}

/** A request for what is there may stay without an answer for a while: so many are out, or have used up their deliveries. */
export function isLimited(lane: Lane): boolean {
  return lane.maxAckPending > 0 || lane.maxDeliver > 0 || lane.isShared === true;
}

export function toLane(
  place: Pick<Lane, 'stream' | 'durable' | 'partition' | 'isRetry' | 'keepsSettled'>,
  durable: Durable,
): Lane {
  return { ...durable, ...place, firstAck: firstAckOf(place.stream, place.durable) };
}

/** What was decided about a delivery. Those that were decided alike at the same time share one: there are thousands. */
export interface Decision {
  readonly outcome: Outcome;
  /** A copy waits for its time in the retry stream, so this delivery is done. */
  readonly isParked?: boolean;
  /** One of them is called for each delivery. */
  readonly told: readonly [onSettled: (settled: Settled) => void, onFailed: (error: unknown) => void];
}

/** One delivery: the message as users see it, and what settling it needs. */
export interface Delivery extends StoredMessage {
  readonly lane: Lane;
  /** Where it stands in its lane; of a copy elsewhere than the message. */
  readonly position: DeliveryPosition;
  /** How often the broker has delivered it on this lane. */
  readonly laneDeliveries: number;
  /** Where settling goes. */
  readonly ackSubject: string;
  /** All headers, the reserved ones too, but for those of the lane: a dead letter keeps them. */
  readonly allHeaders: HeaderList;
  /** Deliveries that the broker counted and we do not; `deliveryCount` is without them. `UNKNOWN_CREDIT`: see `credits.ts`. */
  credit: number;
  /** Wall-clock time before which no handler may see it; parked on a server that cannot wait by itself. */
  readonly untilMs?: number | undefined;
  /** Who settles it, until something is decided; and its place among all that came there. */
  owner: object | undefined;
  place: number;
  decision: Decision | undefined;
}

/** Whether earlier deliveries may have been noted as ones that do not count. */
export function mayHaveCredit({ deliveryCount, lane, laneDeliveries }: Delivery, maxDeliveries: number): boolean {
  return lane.isRetry ? laneDeliveries > 1 : deliveryCount > maxDeliveries;
}

/** Whether a handler gets all of them for certain, without asking anybody: nearly always. In one function: it is asked for each. */
export function areForHandler(deliveries: readonly Delivery[], maxDeliveries: number): boolean {
  for (const delivery of deliveries) {
    const { lane } = delivery;
    if (delivery.untilMs !== undefined || lane.rules !== undefined || delivery.deliveryCount > maxDeliveries)
      return false;
    if (lane.isRetry ? delivery.laneDeliveries > 1 : lane.begin && delivery.sequence < lane.begin) return false;
  }
  return true;
}
