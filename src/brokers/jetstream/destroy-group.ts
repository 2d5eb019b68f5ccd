/** Deleting a group: its durables, and what is parked for it. Its position is gone, its messages stay. */

import type { Connection } from '../../connection/port.ts';
import type { ReaderOptions } from '../../model/broker.ts';
import type { Group } from './groups.ts';
import type { StreamReaders } from './readers.ts';
import { PATIENCE_MS, repeat } from './repeat.ts';
import { partitionsOf } from './retries.ts';
import { retryStreamOf } from './stations.ts';
import { apiError, nothingAt } from './wire/api.ts';
import { deleteDurable, durableNames } from './wire/consumers.ts';
import { purgeStream } from './wire/streams.ts';

/** Gone is what was wanted; also what a repeat after a lost answer finds. */
export const unlessGone = nothingAt(apiError.CONSUMER_NOT_FOUND, apiError.STREAM_NOT_FOUND);

/** Partitions whose messages a group reads. @throws MemphisError `STATION_NOT_FOUND` */
export async function partitionsToRead(
  { broker: { stations } }: StreamReaders,
  { station, binding }: ReaderOptions,
): Promise<readonly number[]> {
  return binding === undefined ? (await stations.find(station)).partitions : [0];
}

/** @throws MemphisError `STATION_NOT_FOUND` */
export async function destroyGroup(readers: StreamReaders, options: ReaderOptions): Promise<void> {
  const { group } = readers.reader(options);
  const places = (await partitionsToRead(readers, options)).map((partition) => group.placeOf(partition));
  await Promise.all(
    places.map(({ stream, durable }) =>
      repeat(readers.broker.link, 'delete group', PATIENCE_MS, (connection, limitMs) =>
        deleteDurable(connection, stream, durable, limitMs).catch(unlessGone),
      ),
    ),
  );
  await forgetCopies(readers, options.station, group);
}

/** What is parked for a group goes too, and what is known of it. */
export async function forgetCopies(readers: StreamReaders, station: string, group: Group): Promise<void> {
  await repeat(readers.broker.link, 'delete group', PATIENCE_MS, (connection, limitMs) =>
    deleteCopies(connection, retryStreamOf(station), group.durableName, limitMs),
  );
  readers.retries.forget(station);
  group.forget();
}

async function deleteCopies(connection: Connection, stream: string, durable: string, limitMs: number): Promise<void> {
  const partitions = partitionsOf(await durableNames(connection, stream, limitMs), durable);
  if (partitions.length === 0) return;
  for (const kind of ['due', 'later']) {
    const filter = `${stream}.${kind}.${durable}.>`;
    await purgeStream(connection, stream, { filter }, limitMs).catch(unlessGone);
  }
  for (const partition of partitions) {
    await deleteDurable(connection, stream, `${durable}$${partition}`, limitMs).catch(unlessGone);
  }
}
