/** Deleting a group: its durables, and what is parked for it. Its position is gone, its messages stay. */

import type { Connection } from '../../connection/port.ts';
import type { ReaderOptions } from '../../model/broker.ts';
import type { Group } from './groups.ts';
import { PATIENCE_MS, repeat } from './repeat.ts';
import { partitionsOf } from './retries.ts';
import { retryStreamOf, type Stations } from './stations.ts';
import type { StreamBroker } from './stream-broker.ts';
import { apiError, refusalOf } from './wire/api.ts';
import { deleteDurable, durableNames } from './wire/consumers.ts';
import { purgeStream } from './wire/streams.ts';

/** Gone is what was wanted; also what a repeat after a lost answer finds. */
export function unlessGone(error: unknown): void {
  const number = refusalOf(error);
  if (number !== apiError.CONSUMER_NOT_FOUND && number !== apiError.STREAM_NOT_FOUND) throw error;
}

/** Partitions whose messages a group reads. @throws MemphisError `STATION_NOT_FOUND` */
export async function partitionsToRead(
  { stations }: StreamBroker<Stations>,
  { station, binding }: ReaderOptions,
): Promise<readonly number[]> {
  return binding === undefined ? (await stations.find(station)).partitions : [0];
}

/** @throws MemphisError `STATION_NOT_FOUND` */
export async function destroyGroup(broker: StreamBroker<Stations>, options: ReaderOptions): Promise<void> {
  const { group } = broker.reader(options);
  const places = (await partitionsToRead(broker, options)).map((partition) => group.placeOf(partition));
  await Promise.all(
    places.map(({ stream, durable }) =>
      repeat(broker.link, 'delete group', PATIENCE_MS, (connection, limitMs) =>
        deleteDurable(connection, stream, durable, limitMs).catch(unlessGone),
      ),
    ),
  );
  await forgetCopies(broker, options.station, group);
}

/** What is parked for a group goes too, and what is known of it. */
export async function forgetCopies(broker: StreamBroker<Stations>, station: string, group: Group): Promise<void> {
  await repeat(broker.link, 'delete group', PATIENCE_MS, (connection, limitMs) =>
    deleteCopies(connection, retryStreamOf(station), group.durableName, limitMs),
  );
  broker.retries.forget(station);
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
