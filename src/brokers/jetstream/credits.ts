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
import { apiError, encodeJson, nothingAt, textOf } from './wire/api.ts';
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

/** Notes that could not be stored, by their subjects: the next one to be handed the message may be this very process. */
const unstored = new WeakMap<Link, Map<string, number>>();
/** So many of them, of each link. */
const KEPT = 1_000;

function unstoredOf(link: Link): Map<string, number> {
  const known = unstored.get(link) ?? new Map<string, number>();
  unstored.set(link, known);
  return known;
}

/** The same, to decide by: who may not look knows of no others than his own, or the message would be given back for ever. */
export function creditOf(link: Link, delivery: Delivery, timeoutMs: number): Promise<number> {
  const key = creditKeyOf(delivery);
  const own = unstoredOf(link).get(subjectOf(key)) ?? 0;
  return readCredit(link, key, timeoutMs).then(
    (noted) => Math.max(noted, own),
    (error: unknown) => {
      if (own === 0 && healsByItself(error)) throw error;
      return own;
    },
  );
}

/** Notes that so many deliveries of a message do not count. Resolves when that is stored, or kept here. */
export async function writeCredit(link: Link, key: CreditKey, credit: number, timeoutMs: number): Promise<void> {
  try {
    await storeCredit(link, key, credit, timeoutMs);
  } catch {
    const kept = unstoredOf(link);
    if (kept.size === KEPT) kept.clear();
    kept.set(subjectOf(key), credit);
  }
}

/** Who was frozen while others held the message knows of fewer than they: a note is only ever raised. */
async function storeCredit(link: Link, key: CreditKey, credit: number, timeoutMs: number): Promise<void> {
  const deadlineMs = Date.now() + timeoutMs;
  // a first note is refused where there is one: asked before, it would not have left where answers come late
  const isFirst = credit === 1;
  if (!isFirst && (await readCredit(link, key, timeoutMs)) >= credit) return;
  const message = {
    data: encodeJson(credit),
    headers: isFirst ? [['Nats-Expected-Last-Subject-Sequence', '0'] as const] : [],
  };
  const stored = store(link, subjectOf(key), message, {
    timeoutMs: leftUntil(deadlineMs),
    onMissing: (connection, limitMs) => createStream(connection, bucketConfig(BUCKET, 1), limitMs),
  });
  await stored.catch(nothingAt(apiError.WRONG_LAST_SEQUENCE));
}

/** Takes the note of a message away that is done with. Best effort: what stays behind is a few bytes. */
export async function dropCredit(link: Link, key: CreditKey, limitMs: number): Promise<void> {
  unstoredOf(link).delete(subjectOf(key));
  try {
    const untilMs = Date.now() + limitMs;
    const connection = await link.ready(untilMs);
    await purgeStream(connection, `KV_${BUCKET}`, { filter: subjectOf(key) }, leftUntil(untilMs));
  } catch {
    // the message is settled, which is what counts
  }
}
