/** Registering groups: which rows a broker of which release wants to have, and what it may be told (memphis-wire 2.5, 11.5). */

import type { Connection } from '../../connection/port.ts';
import type { ReaderOptions } from '../../model/broker.ts';
import { isMemphisError } from '../../model/errors.ts';
import type { StationSchemas } from '../../model/schema-look-up.ts';
import { isBefore } from '../jetstream/server-version.ts';
import type { Json } from '../jetstream/wire/api.ts';
import { lastOf, sequenceOf } from './begin.ts';
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
  if (isOlder && isAnchored(version)) return await registerAtAnchor(connection, options, timeoutMs);
  const changes = schemas.watch?.(connection, station);
  try {
    // what is said of where it begins must agree with the durable, or it is refused (10012)
    const begin = {
      startSequence: sequenceOf(start),
      lastMessages: isOlder ? -1 : lastOf(start), // up to 1.4.2 a count of messages means something else there
    };
    const told = await registerConsumer(connection, { ...options, ...begin }, timeoutMs);
    schemas.hear?.(station, told, changes); // those before 1.3.1 do not say, and are never asked here
    return told;
  } catch (error) {
    if (!isMemphisError(error, 'GROUP_CONFLICT')) throw error;
    // one that began elsewhere; up to 1.4.2 it has its row all the same, later perhaps none
    return isOlder || (await registerAtAnchor(connection, options, timeoutMs));
  }
}

/** Registering makes that station: of two who do so at the same time one is told so, and asks again (2.3). */
async function registerAtAnchor(connection: Connection, options: ReaderOptions, timeoutMs: number): Promise<Json> {
  const wanted = { ...options, station: ANCHOR_STATION, startSequence: 1, lastMessages: -1 };
  for (let tries = 1; ; tries++) {
    try {
      return await registerConsumer(connection, wanted, timeoutMs);
    } catch (error) {
      if (tries === MAX_TRIES || !isMemphisError(error, 'JETSTREAM_UNAVAILABLE')) throw error;
    }
  }
}
