/** The station that a station names as its `dlsStation`: it gets a copy of each dead letter (memphis-wire 6.6). */

import type { Link } from '../../connection/link.ts';
import type { HeaderList } from '../../connection/port.ts';
import { isMemphisError, MemphisError } from '../../model/errors.ts';
import type { StoredMessage } from '../../model/message.ts';
import { choosePartition } from '../../model/partition.ts';
import { defaultStation } from '../../model/station.ts';
import { makeStation } from './make-station.ts';
import { refuseMissing } from './missing-stream.ts';
import { type Stations, streamOf } from './stations.ts';
import { store } from './store.ts';
import { frameSize } from './wire/publish.ts';

/** Whose dead letters are stored, and which station gets copies of them. */
export interface DeadLetterContext {
  readonly link: Link;
  readonly stations: Stations;
  readonly group: string;
  /** '' for none. */
  readonly dlsStation: string;
  /** What is left for all that is still to be done, at this moment. */
  readonly leftMs: () => number;
}

/** What a copy is made of. */
interface Copied extends Pick<StoredMessage, 'id' | 'station' | 'data'> {
  readonly headers: HeaderList;
}

/** Headers of the copy that say where it is from; a user's of these names are replaced. */
const OWN_NAMES = ['station', 'type'];

/** Payload and headers as they were, but for what server and toolkit keep for themselves. */
function copyHeaders({ station, headers }: Copied, id: string, type: string): HeaderList {
  return [
    ['Nats-Msg-Id', id],
    ...headers.filter(([name]) => !/^nats-|^\$memphis_retry_/i.test(name) && !OWN_NAMES.includes(name)),
    ['station', station],
    ['type', type],
  ];
}

/** @param kept what a message is to be kept as. @throws MemphisError `PAYLOAD_TOO_LARGE` where it does not fit with these headers */
export function checkRoom(
  { group }: DeadLetterContext,
  { id, station, data }: Omit<Copied, 'headers'>,
  headers: HeaderList,
  maxPayload: number,
  kept: string,
): void {
  if (frameSize(headers, data) <= maxPayload) return;
  throw new MemphisError(
    'PAYLOAD_TOO_LARGE',
    `Message ${id} leaves no room for the headers of ${kept}. It stays in its station; raise max_payload.`,
    { station, group },
  );
}

/**
 * Stores the copy; resolves when the broker has confirmed it. A station that is missing is made with defaults.
 *
 * @param id decides on the partition too, so that a repeat meets its first copy
 */
export async function storeInLinkedStation(
  context: DeadLetterContext,
  copied: Copied,
  id: string,
  maxPayload: number,
  type: 'unacked' | 'failed_schema' = 'unacked',
): Promise<void> {
  const { link, stations, dlsStation, leftMs } = context;
  const { data } = copied;
  const headers = copyHeaders(copied, id, type);
  checkRoom(context, copied, headers, maxPayload, `a copy in station ${dlsStation}`);
  const tryOnce = async (): Promise<void> => {
    const { partitions } = await stations.view(dlsStation, leftMs());
    const partition = choosePartition(dlsStation, partitions, { msgId: id }) ?? 1;
    const stream = streamOf(dlsStation, partition);
    await store(
      link,
      `${stream}.final`,
      { data, headers },
      {
        timeoutMs: leftMs(),
        onMissing: (connection, limitMs) => refuseMissing(connection, dlsStation, stream, limitMs, stations),
      },
    );
  };
  try {
    await tryOnce();
  } catch (error) {
    if (!isMemphisError(error, 'STATION_NOT_FOUND')) throw error;
    await makeStation(link, dlsStation, defaultStation, leftMs());
    stations.forget(dlsStation);
    await tryOnce();
  }
}
