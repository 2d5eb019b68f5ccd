/** Whether a stream that nobody answered for is missing, or has no leader. */

import type { Connection } from '../../connection/port.ts';
import { isStreamMissing, type Stations, stationNotFound } from './stations.ts';
import { streamConfig } from './wire/streams.ts';

/** Look-ups under way: thousands of messages may meet the same 503, and one question is enough. */
const lookups = new WeakMap<Connection, Map<string, Promise<unknown>>>();

/**
 * A 503 means a missing stream or one without a leader: the API tells which.
 *
 * @throws MemphisError `STATION_NOT_FOUND`
 */
export async function refuseMissing(
  connection: Connection,
  station: string,
  stream: string,
  limitMs: number,
  stations: Stations,
): Promise<void> {
  const open = lookups.get(connection) ?? new Map<string, Promise<unknown>>();
  lookups.set(connection, open);
  let lookup = open.get(stream);
  if (lookup === undefined) {
    lookup = streamConfig(connection, stream, limitMs).finally(() => open.delete(stream));
    open.set(stream, lookup);
  }
  try {
    await lookup;
  } catch (error) {
    if (!isStreamMissing(error)) throw error;
    stations.forget(station);
    throw stationNotFound(station);
  }
}
