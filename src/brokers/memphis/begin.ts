/**
 * Where a group begins. Its durables are made as the broker would make them (memphis-wire 5.2), and the broker takes every
 * description away from them when it registers a member: so what a group that began with the last so many messages was
 * asked for is noted elsewhere, since its durables tell only the sequences that this came to.
 */

import type { Link } from '../../connection/link.ts';
import type { Connection } from '../../connection/port.ts';
import type { StartPosition } from '../../model/source.ts';
import { fromOf } from '../jetstream/groups.ts';
import { BUCKET } from '../jetstream/stations.ts';
import { store } from '../jetstream/store.ts';
import { apiError, encodeJson, nothingAt, textOf } from '../jetstream/wire/api.ts';
import { type DeliverFrom, type Durable, durableInfo } from '../jetstream/wire/consumers.ts';
import { bucketConfig, createStream, lastValue } from '../jetstream/wire/streams.ts';

/** A durable by name. */
export interface Place {
  readonly stream: string;
  readonly durable: string;
}

/** The subject of its note. */
export function startNoteOf({ stream, durable }: Place): string {
  return `$KV.${BUCKET}.start.${stream}.${durable}`;
}

/** With how many of the last messages; -1: begins otherwise. */
export function lastOf(start: StartPosition | undefined): number {
  return start !== undefined && 'lastMessages' in start ? start.lastMessages : -1;
}

/** At which sequence; 1: begins otherwise, or with all. */
export function sequenceOf(start: StartPosition | undefined): number {
  return start !== undefined && 'sequence' in start ? start.sequence : 1;
}

/** Where nothing has to be asked for it. */
export function toPolicy(start: StartPosition | undefined): DeliverFrom {
  const sequence = sequenceOf(start);
  if (sequence > 1) return { deliver_policy: 'by_start_sequence', opt_start_seq: sequence };
  return { deliver_policy: lastOf(start) < 0 ? 'all' : 'new' };
}

/** Noted before the durable is made, and only where there is none. */
export async function fromLast(
  link: Link,
  connection: Connection,
  place: Place,
  lastMessages: number,
  limitMs: number,
): Promise<DeliverFrom> {
  const found =
    (await readStart(connection, place, limitMs)) ??
    (await durableInfo(connection, place.stream, place.durable, limitMs).catch(nothingAt(apiError.CONSUMER_NOT_FOUND)));
  if (found === undefined) {
    await store(
      link,
      startNoteOf(place),
      { data: encodeJson(lastMessages), headers: [] },
      { timeoutMs: limitMs, onMissing: (on, forMs) => createStream(on, bucketConfig(BUCKET, 1), forMs) },
    );
  }
  return await fromOf(connection, place.stream, { lastMessages }, limitMs);
}

/** Whether a durable that is there began so. */
export async function beganAt(
  connection: Connection,
  place: Place,
  { config }: Durable,
  start: StartPosition,
  limitMs: number,
): Promise<boolean> {
  const { deliver_policy: policy, opt_start_seq: sequence } = config;
  const last = lastOf(start);
  if (last > 0) return (await readStart(connection, place, limitMs)) === last;
  const wanted = toPolicy(start);
  return policy === wanted.deliver_policy && (!('opt_start_seq' in wanted) || sequence === wanted.opt_start_seq);
}

/** How many messages before the end it began; nothing where nobody noted it. */
async function readStart(connection: Connection, place: Place, limitMs: number): Promise<number | undefined> {
  const noted = await lastValue(connection, BUCKET, startNoteOf(place), limitMs);
  return noted && Number(textOf(noted));
}
