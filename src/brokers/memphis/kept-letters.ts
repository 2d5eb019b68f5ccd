/**
 * Dead letters of releases before 1.4.2. There a group is registered elsewhere, so that it keeps its position, and then
 * the HTTP API names the groups of no row (memphis-wire 11.5). So each dead letter is also kept in a stream of ours, whole and with its
 * group; the broker's rows say which of them still count.
 */

import type { Connection } from '../../connection/port.ts';
import type { DeadLetterRecord } from '../../model/dead-letter.ts';
import { murmur3 } from '../../model/partition.ts';
import { mapAtOnce } from '../jetstream/at-once.ts';
import { originalHeaders, toDeadLetter } from '../jetstream/dead-letter-record.ts';
import type { BrokerParts } from '../jetstream/redrive.ts';
import { PATIENCE_MS, repeat } from '../jetstream/repeat.ts';
import { deadLetterStreamOf, streamOf } from '../jetstream/stations.ts';
import { apiError, refusalOf } from '../jetstream/wire/api.ts';
import { readStretch, type StreamMessage } from '../jetstream/wire/read.ts';
import { type DurableState, durableStates } from '../jetstream/wire/stream-info.ts';
import { deleteMessage } from '../jetstream/wire/streams.ts';
import { type Row, toRecords } from './dead-letter-rows.ts';
import type { Letter } from './letter.ts';
import { acksSince } from './resend-streams.ts';

/** Ids of rows that nobody kept are behind those of the stream. */
const ROWS = 2 ** 32;
/** The broker makes a row within seconds; where there is none after this, the dead letter was dropped there. */
const ROW_LIMIT_MS = 600_000;
const AT_ONCE = 8;

/** What becomes of a row for which nothing was kept, since its deliveries ran out by themselves. */
type Unkept = (row: Row) => Promise<Uint8Array | undefined>;

function placeOf({ partition, sequence }: Row | DeadLetterRecord): string {
  return `${partition}:${sequence}`;
}

/** @param contentOf the payload of a row, where it is to be had */
export async function keptLetters(
  { link }: BrokerParts,
  station: string,
  rows: readonly Row[],
  contentOf: Unkept,
): Promise<readonly Letter[]> {
  const stream = deadLetterStreamOf(station);
  const ask = <T>(what: string, none: T, run: (connection: Connection, limitMs: number) => Promise<T>): Promise<T> =>
    repeat(link, what, PATIENCE_MS, run).catch((error: unknown) => {
      if (refusalOf(error) === apiError.STREAM_NOT_FOUND) return none;
      throw error;
    });
  const all = { stream, filterSubject: `${stream}.>`, from: 1, limit: Number.MAX_SAFE_INTEGER };
  const kept = await ask<readonly StreamMessage[]>('read dead letters', [], (connection, limitMs) =>
    readStretch(connection, all, limitMs),
  );
  const byPlace = Map.groupBy(
    kept.map((message) => ({ message, record: toDeadLetter(station, message) })),
    ({ record }) => placeOf(record),
  );
  const letters: Letter[] = [];
  for (const row of rows) {
    const found = byPlace.get(placeOf(row));
    byPlace.delete(placeOf(row));
    for (const { message, record } of found ?? []) {
      letters.push({ row, record, headers: originalHeaders(message.headers), kept: message.sequence });
    }
  }
  const drop = (sequence: number): Promise<boolean> =>
    ask('drop dead letter', false, (connection, limitMs) => deleteMessage(connection, stream, sequence, limitMs));
  await dropOld([...byPlace.values()].flat(), ({ sequence }) => drop(sequence));
  const since = letters.reduce((least, { record }) => Math.min(least, record.setAsideAt.getTime()), Date.now());
  const acks =
    letters.length === 0 ? [] : await ask('look for acks', [], (on, ms) => acksSince(on, new Date(since), ms));
  const handledAt = new Map(acks.map(({ row, group, at }) => [`${row} ${group}`, at])); // the latest comes last
  // resent, and handled since it was set aside: the row stays as long as it names another group
  const isDone = ({ row: { id }, record: { group, setAsideAt } }: Letter): boolean =>
    (handledAt.get(`${id} ${group}`) ?? setAsideAt) > setAsideAt;
  const { done = [], open = [] } = Object.groupBy(letters, (letter) => (isDone(letter) ? 'done' : 'open'));
  await mapAtOnce(done, ({ kept: sequence = 0 }) => drop(sequence), AT_ONCE);
  const places = new Set(letters.map(({ row }) => row));
  const unkept = rows.filter((row) => !places.has(row));
  const states = new Map<number, readonly DurableState[]>();
  for (const partition of new Set(unkept.map((row) => row.partition))) {
    const of = streamOf(station, partition);
    states.set(
      partition,
      await ask('look at groups', [], (connection, limitMs) => durableStates(connection, of, limitMs)),
    );
  }
  const ranOut = await mapAtOnce(
    unkept,
    (row) => lettersOf(station, row, states.get(row.partition) ?? [], contentOf),
    AT_ONCE,
  );
  return [...open, ...ranOut.flat()];
}

/** Whose row is gone was dropped in the broker's interface, or is too old for the broker. */
async function dropOld(
  found: readonly { readonly message: StreamMessage }[],
  drop: (message: StreamMessage) => Promise<unknown>,
): Promise<void> {
  const old = found.filter(({ message }) => Date.now() - message.timestamp.getTime() > ROW_LIMIT_MS);
  await mapAtOnce(old, ({ message }) => drop(message), AT_ONCE);
}

/**
 * A row that the broker made by itself belongs to the one group that was given the message and has not settled it. Where there
 * are several such, nobody can tell: that row is left to the broker's interface.
 */
async function lettersOf(
  station: string,
  row: Row,
  groups: readonly DurableState[],
  contentOf: Unkept,
): Promise<readonly Letter[]> {
  const candidates = groups.filter(
    ({ deliveredSequence, ackFloorSequence }) => deliveredSequence >= row.sequence && ackFloorSequence < row.sequence,
  );
  const [candidate, ...others] = candidates;
  const data = await contentOf(row);
  if (candidate === undefined || others.length > 0 || data === undefined) return [];
  const group = candidate.name.replaceAll('#', '.');
  const details = {
    groups: [{ name: group, maxDeliveries: candidate.maxDeliver }],
    data,
    updatedAt: new Date(row.timeSent),
    error: '',
  };
  return toRecords(station, row, details).map((record) => ({
    row,
    record: { ...record, id: ROWS + row.id * 64 + (murmur3(group) % 64) },
    headers: originalHeaders(row.headers),
  }));
}
