/** The reply subject of a delivery, and what may be sent to it. */

import { MemphisError } from '../../../model/errors.ts';

const ACK = Buffer.from('+ACK');
const TERM = Buffer.from('+TERM'); // without a reason: server 2.9 ignores a TERM that has one
const IN_PROGRESS = Buffer.from('+WPI');
const NAK = Buffer.from('-NAK');
/** A year; beyond 292 of them the server's nanoseconds overflow and it would deliver at once. */
const MAX_DELAY_MS = 365 * 86_400_000;
/** From nanoseconds to milliseconds. */
const NS_DIGITS = 6;
const DOT = 46;

export const ackPayload = {
  ack: ACK,
  term: TERM,
  inProgress: IN_PROGRESS,
  /** Delivered again after a delay; the server counts in nanoseconds. */
  nak: (delayMs: number): Uint8Array =>
    delayMs <= 0 ? NAK : Buffer.from(`-NAK {"delay":${Math.round(Math.min(delayMs, MAX_DELAY_MS) * 1_000_000)}}`),
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

/** Where the dots of the subject are that is looked at; made once, since that is done for each message. */
const dots: number[] = [];

/*
 * $JS.ACK.<stream>.<durable>.<delivered>.<stream seq>.<consumer seq>.<timestamp ns>.<pending>
 * With a domain: $JS.ACK.<domain>.<account hash>.<stream>....<pending>.<token>
 */
export function parseAckSubject(subject: string): DeliveryPosition {
  let count = 0;
  for (let at = 0; at < subject.length; at++) if (subject.charCodeAt(at) === DOT) dots[count++] = at;
  dots[count] = subject.length;
  if (count < 8 || !subject.startsWith('$JS.ACK.')) {
    throw new MemphisError('BROKER_REFUSED', 'A message came without the reply subject of a delivery.');
  }
  const at = count === 8 ? 1 : 3; // the dot in front of the stream
  return {
    stream: subject.slice((dots[at] as number) + 1, dots[at + 1]),
    deliveryCount: numberAt(subject, at + 2, 0),
    sequence: numberAt(subject, at + 3, 0),
    consumerSequence: numberAt(subject, at + 4, 0),
    timestamp: new Date(numberAt(subject, at + 5, NS_DIGITS)), // more digits than a number holds
    pending: numberAt(subject, at + 6, 0),
  };
}

/** The number behind a dot, without its last digits. */
function numberAt(subject: string, dot: number, without: number): number {
  const end = (dots[dot + 1] as number) - without;
  let value = 0;
  for (let at = (dots[dot] as number) + 1; at < end; at++) value = value * 10 + subject.charCodeAt(at) - 48;
  return value;
}
