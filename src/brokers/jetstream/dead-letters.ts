/** A station's dead letters: whole payload, headers and reason, stored and confirmed before the source is terminated. */

import type { Link } from '../../connection/link.ts';
import type { Connection, HeaderList } from '../../connection/port.ts';
import { leftUntil } from '../../connection/within.ts';
import { isMemphisError } from '../../model/errors.ts';
import { toInternalName } from '../../model/station.ts';
import { isOwnId } from './headers.ts';
import { keepHeaders, underId } from './kept-headers.ts';
import type { Delivery } from './lane.ts';
import { checkRoom, type DeadLetterContext, storeInLinkedStation } from './linked-station.ts';
import { ownId } from './own-id.ts';
import { infoOf, repeat } from './repeat.ts';
import { deadLetterStreamOf } from './stations.ts';
import { store } from './store.ts';
import { apiError, refusalOf } from './wire/api.ts';
import { frameSize, type PubAck } from './wire/publish.ts';
import { messageAt } from './wire/read.ts';
import { createStream, deadLetterStreamConfig, streamConfig, unlessThere } from './wire/streams.ts';

const MAX_REASON_CHARACTERS = 500;

/** A reason as a header value: one line, no control characters, not long. */
export function toHeaderText(reason: string): string {
  const text = reason.replace(/\p{Cc}+/gu, ' ').trim();
  return text.slice(0, MAX_REASON_CHARACTERS) || 'no reason given';
}

/**
 * The id of a dead letter: where the delivered message is stored and since when, and whose it is. A message that was
 * put back is stored anew, so when it fails again it is not taken for the dead letter that it was before; neither is
 * one of a stream that was made anew.
 */
export function deadLetterId({ lane, position, timestamp }: Delivery, group: string): string {
  return `${lane.stream}:${position.sequence}:${timestamp.getTime()}:${toInternalName(group)}`;
}

/**
 * The headers of a dead letter: those of the message, and where and why it failed.
 * Sizes: what would not fit under the broker's limit is shortened, the payload never.
 */
export function deadLetterHeaders(
  delivery: Delivery,
  group: string,
  reason: string,
  roomBytes: number,
  id: string = deadLetterId(delivery, group),
): HeaderList {
  const kept = keepHeaders(delivery.allHeaders.filter(([name, value]) => !isOwnId(name, value)));
  const make = (why: string): HeaderList => [
    ...kept,
    ['$memphis_dls_station', delivery.station],
    ['$memphis_dls_group', group],
    ['$memphis_dls_partition', String(delivery.partition)],
    ['$memphis_dls_sequence', String(delivery.sequence)],
    ['$memphis_dls_deliveries', String(delivery.deliveryCount)],
    ['$memphis_dls_stored_at', delivery.timestamp.toISOString()],
    ['$memphis_dls_reason', why],
  ];
  // the same message of the same group is stored once, however often we have to ask
  const full = underId(id, make(toHeaderText(reason)));
  return frameSize(full, delivery.data) <= roomBytes ? full : underId(id, make('(too large for the reason)'));
}

/**
 * Stores one dead letter, and its copy in a linked station; resolves when the broker has confirmed both.
 *
 * @throws MemphisError when one is not stored; the source must not be terminated then
 */
export async function storeDeadLetter(context: DeadLetterContext, delivery: Delivery, reason: string): Promise<void> {
  const { link, group, leftMs } = context;
  const { id, station, data } = delivery;
  const stream = deadLetterStreamOf(station);
  const { maxPayload } = await infoOf(link, leftMs());
  const headers = deadLetterHeaders(delivery, group, reason, maxPayload);
  checkRoom(context, delivery, headers, maxPayload, 'a dead letter');
  // the copy first: where it fails again and again, the dead letters do not fill with repeats of one message
  if (context.dlsStation !== '') {
    const copied = { id, station, data, headers: delivery.allHeaders };
    await storeInLinkedStation(context, copied, deadLetterId(delivery, group), maxPayload);
  }
  const put = (given: HeaderList): Promise<PubAck> =>
    store(
      link,
      `${stream}.${toInternalName(group)}`,
      { data, headers: given },
      {
        timeoutMs: leftMs(),
        onMissing: (connection, limitMs) => makeStream(connection, stream, delivery.lane.stream, limitMs),
      },
    );
  const stored = await put(headers);
  if (!stored.duplicate || (await isThere(link, stream, stored.sequence, leftMs()))) return;
  // set aside before, dropped or put back since, and the group has begun anew: the broker only remembers the id
  await put(deadLetterHeaders(delivery, group, reason, maxPayload, ownId()));
}

/** Whether a dead letter is still there; not known counts as no, since twice is better than never. */
async function isThere(link: Link, stream: string, sequence: number, timeoutMs: number): Promise<boolean> {
  try {
    await repeat(link, 'look for dead letter', timeoutMs, (connection, limitMs) =>
      messageAt(connection, stream, sequence, limitMs),
    );
    return true;
  } catch (error) {
    if (refusalOf(error) === apiError.MESSAGE_NOT_FOUND || isMemphisError(error, 'PERMISSION_DENIED')) return false;
    throw error;
  }
}

/** Made on first use, on the same kind of storage as the stream whose messages it takes. */
export async function makeStream(
  connection: Connection,
  stream: string,
  source: string,
  limitMs: number,
): Promise<void> {
  const untilMs = Date.now() + limitMs;
  const config = await streamConfig(connection, source, limitMs);
  const like = deadLetterStreamConfig(stream, config.storage, config.num_replicas);
  await createStream(connection, like, leftUntil(untilMs)).catch(unlessThere);
}
