/** Whether a stream that nobody answered for is missing, or has no leader. */

import type { Connection } from '../../connection/port.ts';
import { Looks } from './looks.ts';
import { isStreamMissing, type Stations, stationNotFound } from './stations.ts';
import { streamConfig } from './wire/streams.ts';

/** Look-ups under way: thousands of messages may meet the same 503, and one question is enough. */
const lookups = new WeakMap<Connection, Looks<string, unknown>>();

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
  const open =
    lookups.get(connection) ??
    new Looks('stream', (name: string, forMs) =>
      streamConfig(connection, name, forMs).finally(() => open.delete(name)),
    );
  lookups.set(connection, open);
  try {
    await open.find(stream, limitMs);
  } catch (error) {
    if (!isStreamMissing(error)) throw error;
    stations.forget(station);
    throw stationNotFound(station);
  }
}
