/**
 * Notices of dead letters that the broker's own reader has passed over. After a kill the first that it had in hand may count
 * as settled, although its stream holds it still: nobody reads that one any more, and after a day it is gone. (JetStream
 * before 2.10.13 sets the floor of a reader that has fallen behind its stream one too high; Memphis is made from 2.10.7.)
 */

import type { Connection } from '../../connection/port.ts';
import { callApi, type Json } from '../jetstream/wire/api.ts';
import { parsePubAck } from '../jetstream/wire/publish.ts';
import { messageAt } from '../jetstream/wire/read.ts';
import { deleteMessage } from '../jetstream/wire/streams.ts';
import { ADVISORIES } from './wire/poison-advisory.ts';

/** The same on all releases. */
const READER = '$memphis_dls_unacked_consumer';
/** What is settled goes from the stream at once; what is still there after this was passed over. */
const GONE_AFTER_MS = 500;

/** What the stream holds. */
export interface Notices {
  readonly first: number;
  readonly last: number;
  readonly isEmpty: boolean;
}

async function look(connection: Connection, what: string, limitMs: number): Promise<Json> {
  const subject = `$JS.API.${what}`;
  return await callApi(connection, { subject, attempted: 'look at dead letters', timeoutMs: limitMs });
}

/** @throws MemphisError as the API refuses */
export async function noticesOf(connection: Connection, limitMs: number): Promise<Notices> {
  const { state } = await look(connection, `STREAM.INFO.${ADVISORIES}`, limitMs);
  const { messages, first_seq: first, last_seq: last } = state as Json;
  return { first: Number(first), last: Number(last), isEmpty: messages === 0 };
}

/**
 * Hands in again what was passed over: stored anew before it goes. Read twice, a notice makes no second row.
 *
 * @returns the last place at which one is now, or 0
 * @throws MemphisError as the API refuses
 */
export async function handInPassedOver(connection: Connection, limitMs: number): Promise<number> {
  const { ack_floor: floor } = await look(connection, `CONSUMER.INFO.${ADVISORIES}.${READER}`, limitMs);
  for (let [last, hasWaited] = [0, false]; ; ) {
    const { first, isEmpty } = await noticesOf(connection, limitMs);
    if (isEmpty || first > Number((floor as Json).stream_seq)) return last;
    if (hasWaited) {
      const { subject, data } = await messageAt(connection, ADVISORIES, first, limitMs);
      const stored = parsePubAck(subject, await connection.request(subject, data, { timeoutMs: limitMs }));
      if (stored === 'nobody') return last; // the stream is just gone
      last = stored.sequence;
      await deleteMessage(connection, ADVISORIES, first, limitMs);
    } else {
      await new Promise((resolve) => setTimeout(resolve, GONE_AFTER_MS));
      hasWaited = true;
    }
  }
}
