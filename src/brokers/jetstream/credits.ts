/**
 * Credits: deliveries that no handler saw and that must not be a message's last. The broker counts every delivery, so
 * a message given back on its last one is noted in the bucket, and its next delivery counts as that last one again.
 */

import type { Link } from '../../connection/link.ts';
import { leftUntil } from '../../connection/within.ts';
import type { Delivery } from './lane.ts';
import { healsByItself, repeat } from './repeat.ts';
import { BUCKET } from './stations.ts';
import { store } from './store.ts';
import { encodeJson, textOf } from './wire/api.ts';
import { bucketConfig, createStream, lastValue, purgeStream } from './wire/streams.ts';

/** A delivery's `credit` where nobody could say: neither is it known then that its message has none left. */
export const UNKNOWN_CREDIT = -1;

/** Which message of which group. */
export interface CreditKey {
  readonly stream: string;
  readonly durable: string;
  readonly sequence: number;
}

function subjectOf({ stream, durable, sequence }: CreditKey): string {
  return `$KV.${BUCKET}.credit.${stream}.${durable}.${sequence}`;
}

export function creditKeyOf({ lane, position }: Delivery): CreditKey {
  return {
    stream: lane.stream,
    durable: lane.durable,
    sequence: position.sequence,
  };
}

/** How many deliveries of a message do not count. */
async function readCredit(link: Link, key: CreditKey, timeoutMs: number): Promise<number> {
  return repeat(link, 'read credit', timeoutMs, async (connection, limitMs) => {
    const value = await lastValue(connection, BUCKET, subjectOf(key), limitMs);
    const credit = value === undefined ? 0 : Number(textOf(value));
    return Number.isSafeInteger(credit) && credit > 0 ? credit : 0;
  });
}

/** The same, to decide by: who may not look knows of none, or the message would be given back for ever. */
export function creditOf(link: Link, delivery: Delivery, timeoutMs: number): Promise<number> {
  return readCredit(link, creditKeyOf(delivery), timeoutMs).catch((error: unknown) => {
    if (healsByItself(error)) throw error;
    return 0;
  });
}

/**
 * Notes that so many deliveries of a message do not count. Resolves when that is stored. Who was frozen while others
 * held the message knows of fewer than they: a note is only ever raised.
 */
export async function writeCredit(link: Link, key: CreditKey, credit: number, timeoutMs: number): Promise<void> {
  const deadlineMs = Date.now() + timeoutMs;
  const noted = await readCredit(link, key, timeoutMs);
  if (noted >= credit) return;
  await store(
    link,
    subjectOf(key),
    { data: encodeJson(credit), headers: [] },
    {
      timeoutMs: leftUntil(deadlineMs),
      onMissing: (connection, limitMs) => createStream(connection, bucketConfig(BUCKET, 1), limitMs),
    },
  );
}

/** Takes the note of a message away that is done with. Best effort: what stays behind is a few bytes. */
export async function dropCredit(link: Link, key: CreditKey, limitMs: number): Promise<void> {
  try {
    const untilMs = Date.now() + limitMs;
    const connection = await link.ready(untilMs);
    await purgeStream(connection, `KV_${BUCKET}`, { filter: subjectOf(key) }, leftUntil(untilMs));
  } catch {
    // the message is settled, which is what counts
  }
}
