/** Registering groups: which rows a broker of which release wants to have, and what it may be told (memphis-wire 2.5, 11.5). */

import type { Connection } from '../../connection/port.ts';
import type { ReaderOptions } from '../../model/broker.ts';
import { isMemphisError } from '../../model/errors.ts';
import type { StationSchemas } from '../../model/schema-look-up.ts';
import { isBefore } from '../jetstream/server-version.ts';
import type { Json } from '../jetstream/wire/api.ts';
import { lastOf } from './begin.ts';
import { registerConsumer } from './wire/consumer-creation.ts';

/**
 * The station at which groups are registered that cannot be where they are read: a row anywhere is enough for the broker to
 * keep dead letters of a group, and there nothing is changed of its durables.
 */
export const ANCHOR_STATION = 'memphis-serverless';

/** How often making it is tried. */
const MAX_TRIES = 3;

/** The broker deletes the durables of a group that has been asleep for two hours, with its position (11.5). */
export function isAnchored(version: string): boolean {
  return isBefore(version, 1, 4, 2);
}

/** @param schemas hear what is told of the station's. @throws MemphisError as the broker refuses */
export async function registerGroup(
  connection: Connection,
  options: ReaderOptions,
  schemas: StationSchemas,
  timeoutMs: number,
): Promise<unknown> {
  const { station, start } = options;
  const { version } = await connection.info;
  const isOlder = isBefore(version, 1, 4, 3);
  /** What is said of where it begins must agree with the durable, or it is refused (10012). */
  const registerAt = (at: string, from = at === ANCHOR_STATION ? undefined : start): Promise<Json> =>
    registerConsumer(
      connection,
      {
        ...options,
        station: at,
        startSequence: from !== undefined && 'sequence' in from ? from.sequence : 1,
        // up to 1.4.2 a count of messages means something else there
        lastMessages: isOlder ? -1 : lastOf(from),
      },
      timeoutMs,
    );
  if (isAnchored(version)) return await tryAgain(() => registerAt(ANCHOR_STATION));
  const changes = schemas.watch?.(connection, station);
  try {
    const told = await registerAt(station);
    schemas.hear?.(station, told, changes); // those before 1.3.1 do not say, and are never asked here
    return told;
  } catch (error) {
    if (!isMemphisError(error, 'GROUP_CONFLICT')) throw error;
    // one that began elsewhere; up to 1.4.2 it has its row all the same, later perhaps none
    return isOlder || (await tryAgain(() => registerAt(ANCHOR_STATION)));
  }
}

/** For a station that registering makes: of two who do so at the same time one is told so (2.3). */
async function tryAgain<T>(run: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await run();
    } catch (error) {
      if (tries === MAX_TRIES || !isMemphisError(error, 'JETSTREAM_UNAVAILABLE')) throw error;
    }
  }
}
