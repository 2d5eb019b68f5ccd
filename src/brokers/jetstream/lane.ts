/** A lane: one durable that a reader pulls from. A group has one for each partition, and more for what comes back later. */

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
  /**
   * The sequence at which a group of our making was to begin. In a cluster the node that leads its durable may lag
   * behind the stream by then, and begins at what it has: earlier.
   */
  readonly begin?: number;
  /** Its durable was made by the very look-up that this is from: what was asked of it before met nobody. */
  readonly isNew?: true;
}

/** Whether a delivery lies before the place at which its group was to begin. */
export const isBeforeBegin = ({ isRetry, begin = 0 }: Lane, sequence: number): boolean => !isRetry && sequence < begin;

/** Only one message is out at a time, so that a redelivery is never overtaken. */
export const isOrdered = (lane: Lane): boolean => lane.maxAckPending === 1;

/** A request for what is there may stay without an answer for a while: so many are out, or have used up their deliveries. */
export const isLimited = (lane: Lane): boolean =>
  lane.maxAckPending > 0 || lane.maxDeliver > 0 || lane.isShared === true;

export function toLane(
  place: Pick<Lane, 'stream' | 'durable' | 'partition' | 'isRetry' | 'keepsSettled'>,
  { ackWaitMs, maxDeliver, maxAckPending }: Durable,
): Lane {
  return { ...place, ackWaitMs, maxDeliver, maxAckPending };
}
