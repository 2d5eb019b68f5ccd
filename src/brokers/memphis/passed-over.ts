/**
 * Notices of dead letters that the broker's own reader does not come to. What it had in hand when the broker was killed it
 * reads again after 80 s, or never: the lowest of these may then count as settled, although the stream holds it still, for
 * a day. (JetStream before 2.10.10 sets the floor of a reader that has fallen behind its stream one too high, and Memphis is made from 2.10.7.)
 */

import type { Connection } from '../../connection/port.ts';
import { leftUntil, wait } from '../../connection/within.ts';
import { apiError, callApi, type Json, nothingAt } from '../jetstream/wire/api.ts';
import { parsePubAck } from '../jetstream/wire/publish.ts';
import { messageAt } from '../jetstream/wire/read.ts';
import { deleteMessage } from '../jetstream/wire/streams.ts';
import { ADVISORIES } from './wire/poison-advisory.ts';

/** The same on all releases. */
const READER = '$memphis_dls_unacked_consumer';
/** What is settled goes from the stream at once; what is still there after this was passed over. */
export const GONE_AFTER_MS = 500;
/** The broker reads in rounds of five seconds, and a long one takes as much again: whoever had this in hand is dead. */
const OLD_MS = 20_000;
/** At one look. More are in hand where the database is away: that they are read later is the broker's own work. */
const MAX = 20;

/** What the stream holds. */
export interface Notices {
  readonly first: number;
  readonly last: number;
  readonly isEmpty: boolean;
  /** Of the first. */
  readonly ageMs: number;
}

/** What lay first in the stream when somebody had no time to wait whether it goes; 0: nothing. */
export interface EarlierLook {
  first: number;
  atMs: number;
}

/* What STREAM.INFO says of it. */
interface State {
  readonly messages: number;
  readonly first_seq: number;
  readonly last_seq: number;
  readonly first_ts: string;
}

function look(connection: Connection, what: string, limitMs: number): Promise<Json> {
  return callApi(connection, what, 'read dead letters', limitMs);
}

/** @throws MemphisError as the API refuses */
export async function noticesOf(connection: Connection, limitMs: number): Promise<Notices> {
  const { state, ts } = await look(connection, `STREAM.INFO.${ADVISORIES}`, limitMs);
  const { messages, first_seq: first, last_seq: last, first_ts: at } = state as unknown as State;
  const nowMs = Date.parse(ts as string) || Date.now(); // those before 1.4.2 do not tell their time
  return { first, last, isEmpty: messages === 0, ageMs: nowMs - Date.parse(at) };
}

/**
 * Hands in again what nobody reads: stored anew before it goes. Read twice, a notice makes no second row.
 *
 * @param limitMs for all of it
 * @param earlier of whom looks again and again: with little time one look is for finding, the next for handing in
 * @returns the last place at which one is now, or 0
 * @throws MemphisError as the API refuses
 */
export async function handInPassedOver(
  connection: Connection,
  limitMs: number,
  oldMs: number = OLD_MS,
  earlier: EarlierLook = { first: 0, atMs: 0 },
): Promise<number> {
  const untilMs = Date.now() + limitMs;
  const suspect = Date.now() - earlier.atMs < GONE_AFTER_MS ? 0 : earlier.first;
  earlier.first = 0;
  const { ack_floor: floor } = await look(connection, `CONSUMER.INFO.${ADVISORIES}.${READER}`, limitMs);
  let now = 0;
  let until = 0;
  for (let count = 0; count <= MAX && Date.now() < untilMs; count++) {
    const { first, last, isEmpty, ageMs } = await noticesOf(connection, leftUntil(untilMs));
    until ||= last;
    const isRead = first > ((floor as Json).stream_seq as number) && ageMs < oldMs;
    if (isEmpty || isRead || first > until) break;
    if (count === 0 && first !== suspect) {
      if (Date.now() + GONE_AFTER_MS >= untilMs) {
        Object.assign(earlier, { first, atMs: Date.now() });
        break;
      }
      await wait(GONE_AFTER_MS);
      continue;
    }
    const found = await messageAt(connection, ADVISORIES, first, leftUntil(untilMs)).catch(
      nothingAt(apiError.MESSAGE_NOT_FOUND),
    );
    if (found === undefined) continue; // read just now, or handed in by somebody else
    const { subject, data } = found;
    const stored = parsePubAck(subject, await connection.request(subject, data, { timeoutMs: leftUntil(untilMs) }));
    if (stored === 'nobody') break; // the stream is just gone
    now = stored.sequence;
    await deleteMessage(connection, ADVISORIES, first, leftUntil(untilMs));
  }
  return now;
}
