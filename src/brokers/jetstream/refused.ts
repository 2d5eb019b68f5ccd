/** Messages that were refused because they break their station's schema: set aside where the station says so. */

import type { Link } from '../../connection/link.ts';
import type { HeaderList } from '../../connection/port.ts';
import { leftUntil } from '../../connection/within.ts';
import type { OutgoingMessage } from '../../model/broker.ts';
import { REFUSED } from '../../model/dead-letter.ts';
import { MemphisError } from '../../model/errors.ts';
import { makeStream, toHeaderText } from './dead-letters.ts';
import { fromUserHeaders } from './headers.ts';
import { storeInLinkedStation } from './linked-station.ts';
import { ownId } from './own-id.ts';
import { infoOf } from './repeat.ts';
import { deadLetterStreamOf, type Stations, streamOf } from './stations.ts';
import { store } from './store.ts';
import { frameSize } from './wire/publish.ts';

/**
 * Stores a dead letter of what was not stored, and its copy in a linked station. Under the message's id it is stored once.
 *
 * @throws MemphisError when it is not stored
 */
export async function setAsideRefused(
  link: Link,
  stations: Stations,
  message: OutgoingMessage,
  reason: string,
  timeoutMs: number,
): Promise<void> {
  const deadlineMs = Date.now() + timeoutMs;
  const { station, partition, data, msgId, producerName } = message;
  const { sendSchemaFailedMsgToDls, dlsStation } = await stations.view(station);
  if (!sendSchemaFailedMsgToDls) return;
  const { maxPayload } = await infoOf(link, timeoutMs);
  const id = msgId === undefined ? ownId() : `refused:${station}:${msgId.trim()}`;
  const own: HeaderList = [
    ...fromUserHeaders(message.headers),
    ...(msgId === undefined ? [] : fromUserHeaders({ 'msg-id': msgId })),
    ['$memphis_producedBy', producerName],
  ];
  const headers: HeaderList = [
    ['Nats-Msg-Id', id],
    ...own,
    ['$memphis_dls_station', station],
    ['$memphis_dls_group', REFUSED],
    ['$memphis_dls_partition', String(partition)],
    ['$memphis_dls_reason', toHeaderText(reason)],
  ];
  if (frameSize(headers, data) > maxPayload) {
    throw new MemphisError('PAYLOAD_TOO_LARGE', 'The message is too large for the dead letters.', { station });
  }
  if (dlsStation !== '') {
    const refused = { headers: own, station, data, id };
    const context = { link, stations, group: REFUSED, dlsStation, leftMs: () => leftUntil(deadlineMs) };
    await storeInLinkedStation(context, refused, id, maxPayload, 'failed_schema');
  }
  const stream = deadLetterStreamOf(station);
  await store(
    link,
    `${stream}.${REFUSED}`,
    { data, headers },
    {
      timeoutMs: leftUntil(deadlineMs),
      onMissing: (connection, limitMs) => makeStream(connection, stream, streamOf(station, partition), limitMs),
    },
  );
}
