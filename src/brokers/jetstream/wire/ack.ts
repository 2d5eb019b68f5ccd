/** The reply subject of a delivery, and what may be sent to it. */

import { MemphisError } from '../../../model/errors.ts';

export const ACK_TEXT = '+ACK';
const ACK = Buffer.from(ACK_TEXT);
const TERM = Buffer.from('+TERM'); // without a reason: server 2.9 ignores a TERM that has one
const IN_PROGRESS = Buffer.from('+WPI');
const NAK = Buffer.from('-NAK');
/** A year; beyond 292 of them the server's nanoseconds overflow and it would deliver at once. */
const MAX_DELAY_MS = 365 * 86_400_000;
/** From nanoseconds to milliseconds. */
const NS_DIGITS = 6;
const PREFIX = '$JS.ACK.';

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

/** How the reply subject of a first delivery begins, where the server belongs to no domain. */
export function firstAckOf(stream: string, durable: string): string {
  return `${PREFIX}${stream}.${durable}.1.`;
}
function noDelivery(): MemphisError {
  return new MemphisError('BROKER_REFUSED', 'A message came without the reply subject of a delivery.');
}

function withoutDomain(subject: string): string {
  return PREFIX + subject.split('.').slice(4, 11).join('.');
}

/*
 * $JS.ACK.<stream>.<durable>.<delivered>.<stream seq>.<consumer seq>.<timestamp ns>.<pending>
 * With a domain: $JS.ACK.<domain>.<account hash>.<stream>....<pending>.<token>
 */
export function parseAckSubject(subject: string): DeliveryPosition {
  const stream = subject.indexOf('.', PREFIX.length);
  const durable = subject.indexOf('.', stream + 1);
  const delivered = subject.indexOf('.', durable + 1);
  const sequence = subject.indexOf('.', delivered + 1);
  const consumerSequence = subject.indexOf('.', sequence + 1);
  const time = subject.indexOf('.', consumerSequence + 1);
  // each stands behind the one before, or there are not so many
  const hasFour = stream > 0 && durable > stream && delivered > durable && sequence > delivered;
  const isWrong = !hasFour || consumerSequence < sequence || time < consumerSequence || !subject.startsWith(PREFIX);
  if (isWrong) throw noDelivery();
  if (subject.includes('.', time + 1)) return parseAckSubject(withoutDomain(subject));
  return {
    stream: subject.slice(PREFIX.length, stream),
    deliveryCount: Number(subject.slice(durable + 1, delivered)),
    sequence: Number(subject.slice(delivered + 1, sequence)),
    consumerSequence: Number(subject.slice(sequence + 1, consumerSequence)),
    timestamp: new Date(Number(subject.slice(consumerSequence + 1, time - NS_DIGITS))), // more digits than a number holds
    pending: Number(subject.slice(time + 1)),
  };
}
