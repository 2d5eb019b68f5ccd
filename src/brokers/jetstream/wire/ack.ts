/** The reply subject of a delivery, and what may be sent to it. */

import { MemphisError } from '../../../model/errors.ts';

const encoder = new TextEncoder();
const ACK = encoder.encode('+ACK');
const TERM = encoder.encode('+TERM'); // without a reason: server 2.9 ignores a TERM that has one
const IN_PROGRESS = encoder.encode('+WPI');
const NAK = encoder.encode('-NAK');
/** A year; beyond 292 of them the server's nanoseconds overflow and it would deliver at once. */
const MAX_DELAY_MS = 365 * 86_400_000;

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
  const [stream = '', , delivered, sequence, consumerSequence, time = '0', pending] = tokens.slice(at);
  return {
    stream,
    deliveryCount: Number(delivered),
    sequence: Number(sequence),
    consumerSequence: Number(consumerSequence),
    timestamp: new Date(Number(BigInt(time) / 1_000_000n)),
    pending: Number(pending),
  };
}
