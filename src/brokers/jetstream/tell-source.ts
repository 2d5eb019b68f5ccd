/** Says to a durable what became of its messages: all in one write, the last one as a request that vouches for the others. */

import type { Connection, Frame } from '../../connection/port.ts';
import { leftUntil } from '../../connection/within.ts';
import { isMemphisError, MemphisError } from '../../model/errors.ts';
import { losesToDeadPulls } from './dead-pulls.ts';
import { become } from './delivery.ts';
import type { Delivery } from './lane.ts';
import type { Decided } from './settling.ts';
import { ACK_TEXT, ackPayload } from './wire/ack.ts';
import { durableInfo } from './wire/consumers.ts';

/** The broker knows of no delivery behind this one. */
export class Forgotten extends Error {
  readonly consumerSequence: number;

  constructor(consumerSequence: number) {
    super('forgotten deliveries');
    this.consumerSequence = consumerSequence;
  }
}

/** How long it is asked why an ack was not answered, within the time that settling has. */
const WHY_LIMIT_MS = 1_000;

function isNak({ decision: { outcome, isParked } }: Decided): boolean {
  return isParked !== true && outcome.action !== 'ack' && outcome.action !== 'deadLetter';
}

function payloadOf({ decision: { outcome, isParked } }: Decided): Uint8Array {
  if (isParked === true || outcome.action === 'ack') return ackPayload.ack;
  return outcome.action === 'deadLetter' ? ackPayload.term : ackPayload.nak(outcome.delayMs ?? 0);
}

/**
 * Resolves when the broker has answered.
 *
 * @param deliveries of one durable, at least one
 * @param untilMs wall-clock time that settling has, beyond this try
 * @param isSure what is said of them is not ignored
 * @throws Forgotten; MemphisError `TIMEOUT`, `JETSTREAM_UNAVAILABLE`, and as the connection does
 */
export function writeAll(
  connection: Connection,
  deliveries: readonly Decided[],
  limitMs: number,
  untilMs: number,
  isSure?: boolean,
): Promise<void> {
  if (!isSure && deliveries.some(isNak)) return writeNaks(connection, deliveries, limitMs, untilMs);
  // the newest, which came last, goes last: a broker that was killed may have forgotten some, and knows all others where it
  // knows that one
  let newest = deliveries[0] as Decided;
  for (const delivery of deliveries) if (delivery.place > newest.place) newest = delivery;
  const acks: string[] = [];
  for (const delivery of deliveries) {
    if (delivery === newest) continue;
    const payload = payloadOf(delivery);
    if (payload === ackPayload.ack) acks.push(delivery.ackSubject);
    else connection.publish(delivery.ackSubject, payload);
  }
  connection.publishAll(acks, ACK_TEXT);
  const asking = { timeoutMs: limitMs, read: readAnswer };
  return connection.request(newest.ackSubject, payloadOf(newest), asking).catch(async (error: unknown) => {
    const leftMs = Math.min(limitMs, leftUntil(untilMs), WHY_LIMIT_MS);
    throw await whySilent(connection, newest, leftMs, error);
  });
}

/**
 * Servers from 2.9.15 to 2.10.9, and Memphis brokers, may ignore a NAK. Where a message has come a second time and all before it is settled,
 * they take the number of that delivery for the floor of the durable, and each lower one for settled. Under the number of the
 * latest delivery a NAK is above any floor (docs/decisions/026).
 */
function writeNaks(...[connection, deliveries, limitMs, untilMs]: Parameters<typeof writeAll>): Promise<void> {
  const { version } = connection.said ?? {};
  if (version === undefined || !losesToDeadPulls(version)) {
    return writeAll(connection, deliveries, limitMs, untilMs, true);
  }
  const { stream, durable } = (deliveries[0] as Decided).lane;
  const asked = durableInfo(connection, stream, durable, limitMs).catch(() => undefined);
  return asked.then((found) => {
    if (found !== undefined) for (const one of deliveries.filter(isNak)) putUnder(found.consumerSequence, one);
    return writeAll(connection, deliveries, Math.min(limitMs, leftUntil(untilMs)), untilMs, true);
  });
}

/* $JS.ACK.<stream>.<durable>.<delivered>.<stream seq>.<consumer seq>.<timestamp ns>.<pending> */
function putUnder(number: number, delivery: Delivery): void {
  const { position, ackSubject } = delivery;
  become(delivery, { position, ackSubject: ackSubject.split('.').with(-3, `${number}`).join('.') });
}

function readAnswer({ status }: Frame): void {
  if (status === 503) throw nobodyListens();
}

function nobodyListens(): MemphisError {
  return new MemphisError('JETSTREAM_UNAVAILABLE', 'Nobody listens for acks: the group was deleted, or has no leader.');
}

/** Why an ack is not answered: the delivery is not known any more, or nobody knows. */
async function whySilent(
  connection: Connection,
  { lane, position: { consumerSequence } }: Delivery,
  limitMs: number,
  silence: unknown,
): Promise<unknown> {
  if (!isMemphisError(silence, 'TIMEOUT')) return silence;
  const found = await durableInfo(connection, lane.stream, lane.durable, limitMs).catch(() => undefined);
  return found !== undefined && found.consumerSequence < consumerSequence
    ? new Forgotten(found.consumerSequence)
    : silence;
}
