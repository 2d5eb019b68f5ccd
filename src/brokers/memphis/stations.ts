/** What the data side needs to know of a station on a Memphis broker. Its streams tell; the rest the broker keeps to itself. */

import type { Connection } from '../../connection/port.ts';
import { repeat } from '../jetstream/repeat.ts';
import {
  isStreamMissing,
  partitionsOf,
  Stations,
  type StationView,
  stationNotFound,
  streamOf,
} from '../jetstream/stations.ts';
import type { Json } from '../jetstream/wire/api.ts';
import { streamConfig } from '../jetstream/wire/streams.ts';

const NS_PER_MS = 1_000_000;

export class MemphisStations extends Stations {
  protected override async look(station: string, patienceMs: number): Promise<StationView> {
    const found = await repeat(this.link, 'look up station', patienceMs, async (connection, limitMs) => {
      const [partitions, config] = await Promise.all([
        partitionsOf(connection, station, limitMs),
        firstConfig(connection, station, limitMs),
      ]);
      return partitions.length === 0 ? undefined : toView(partitions, config);
    });
    if (found === undefined) throw stationNotFound(station);
    return found;
  }
}

/** Settings that all partitions share; nothing for a station without numbered ones. */
async function firstConfig(connection: Connection, station: string, limitMs: number): Promise<Json> {
  try {
    return await streamConfig(connection, streamOf(station, 1), limitMs);
  } catch (error) {
    if (isStreamMissing(error)) return {};
    throw error;
  }
}

function toView(partitions: readonly number[], config: Json): StationView {
  const maxBytes = Number(config.max_bytes ?? -1);
  return {
    partitions,
    // whether dead letters are kept is the broker's to know: it drops what it is given where they are not (6.2)
    sendPoisonMsgToDls: true,
    sendSchemaFailedMsgToDls: true,
    // the broker itself copies dead letters into a linked station (6.6)
    dlsStation: '',
    schemaName: '?', // told by registrations (schemas.ts)
    idempotencyWindowMs: Number(config.duplicate_window ?? 0) / NS_PER_MS || 100,
    ...(maxBytes > 0 ? { room: { maxBytes, isOnFile: config.storage !== 'memory' } } : {}),
  };
}
