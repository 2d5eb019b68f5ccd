/** Waiting for the broker: it reads what was set aside in rounds of five seconds, and makes rows of it only then (memphis-wire 6.2). */

import type { Link } from '../../connection/link.ts';
import type { Connection } from '../../connection/port.ts';
import { parsePubAck } from '../jetstream/wire/publish.ts';
import { messageAt } from '../jetstream/wire/read.ts';
import { durableStates, streamInfo } from '../jetstream/wire/stream-info.ts';
import { deleteMessage } from '../jetstream/wire/streams.ts';
import { ADVISORIES } from './wire/poison-advisory.ts';

const LIMIT_MS = 8_000;
const LOOK_EVERY_MS = 100;
/** What is acked goes at once; what is still there after this, although its reader counts it as acked, was passed over. */
const PASSED_AFTER_MS = 1_000;

/**
 * Resolves when all that was set aside before this call is a row. Never rejects: without the right to look, and when time is
 * over, it is taken as it is. A broker that was killed at a bad moment passes over what it had not finished, for good: that is
 * handed in again.
 */
export async function untilAdvisoriesAreRead(link: Link): Promise<void> {
  const untilMs = Date.now() + LIMIT_MS;
  try {
    const connection = await link.ready(untilMs);
    let last: number | undefined;
    let first = { sequence: 0, sinceMs: 0 };
    while (Date.now() < untilMs) {
      const { messages, firstSequence, lastSequence } = (await streamInfo(connection, ADVISORIES, LIMIT_MS)).state;
      last ??= lastSequence;
      if (messages === 0 || firstSequence > last) return;
      if (first.sequence !== firstSequence) first = { sequence: firstSequence, sinceMs: Date.now() };
      else if (Date.now() - first.sinceMs >= PASSED_AFTER_MS && (await isPassedOver(connection, firstSequence))) {
        last = await handInAgain(connection, firstSequence);
      }
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    }
  } catch {
    // what is there is told
  }
}

async function isPassedOver(connection: Connection, sequence: number): Promise<boolean> {
  const readers = await durableStates(connection, ADVISORIES, LIMIT_MS);
  return readers.length > 0 && readers.every(({ ackFloorSequence }) => ackFloorSequence >= sequence);
}

/** Stored anew before it goes; read twice, it makes no second row. @returns where it is now */
async function handInAgain(connection: Connection, sequence: number): Promise<number> {
  const { subject, data } = await messageAt(connection, ADVISORIES, sequence, LIMIT_MS);
  const stored = parsePubAck(subject, await connection.request(subject, data, { timeoutMs: LIMIT_MS }));
  if (stored === 'nobody') return sequence; // the stream is just gone
  await deleteMessage(connection, ADVISORIES, sequence, LIMIT_MS);
  return stored.sequence;
}
