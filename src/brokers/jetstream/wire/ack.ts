/** The reply subject of a delivery, and what may be sent to it. */

import { MemphisError } from '../../../model/errors.ts';

const encoder = new TextEncoder();
const ACK = encoder.encode('+ACK');
const TERM = encoder.encode('+TERM'); // without a reason: server 2.9 ignores a TERM that has one
const IN_PROGRESS = encoder.encode('+WPI');
const NAK = encoder.encode('-NAK');
/** A year; beyond 292 of them the server's nanoseconds overflow and it would deliver at once. */
const MAX_DELAY_MS = 365 * 86_400_000;
/** From nanoseconds to milliseconds. */
const NS_DIGITS = 6;

export const ackPayload = {
  ack: ACK,
  term: TERM,
  inProgress: IN_PROGRESS,
  /** Delivered again after a delay; the server counts in nanoseconds. */
  nak: (delayMs: number): Uint8Array =>
    delayMs <= 0 ? NAK : encoder.encode(`-NAK {"delay":${Math.round(Math.min(delayMs, MAX_DELAY_MS) * 1_000_000)}}`),
} as const;

/** Where a delivery stands. */
export interface DeliveryPosition {
  readonly stream: string;
  readonly deliveryCount: number;
  readonly sequence: number;
  /** Which of the durable's deliveries this is. */
  readonly consumerSequence: number;
  readonly timestamp: Date;
  readonly pending: number;
}

/*
 * $JS.ACK.<stream>.<durable>.<delivered>.<stream seq>.<consumer seq>.<timestamp ns>.<pending>
 * With a domain: $JS.ACK.<domain>.<account hash>.<stream>....<pending>.<token>
 */
export function parseAckSubject(subject: string): DeliveryPosition {
  const tokens = subject.split('.');
  if (tokens[0] !== '$JS' || tokens[1] !== 'ACK' || tokens.length < 9) {
    throw new MemphisError('BROKER_REFUSED', 'A message came without the reply subject of a delivery.');
  }
  const at = tokens.length === 9 ? 2 : 4;
  return {
    stream: tokens[at] ?? '',
    deliveryCount: Number(tokens[at + 2]),
    sequence: Number(tokens[at + 3]),
    consumerSequence: Number(tokens[at + 4]),
    timestamp: new Date(Number(tokens[at + 5]?.slice(0, -NS_DIGITS))), // more digits than a number holds
    pending: Number(tokens[at + 6]),
  };
}
