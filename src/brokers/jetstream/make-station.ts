/** Making the streams of a station and its record. The record comes last: a station with a record is whole. */

import type { Link } from '../../connection/link.ts';
import type { Connection } from '../../connection/port.ts';
import { leftUntil } from '../../connection/within.ts';
import { isMemphisError, MemphisError } from '../../model/errors.ts';
import type { StationSettings } from '../../model/station.ts';
import { PATIENCE_MS, repeat } from './repeat.ts';
import { BUCKET, deadLetterStreamOf, recordSubject, streamOf } from './stations.ts';
import { store } from './store.ts';
import { apiError, encodeJson, refusalOf } from './wire/api.ts';
import {
  bucketConfig,
  createStream,
  deadLetterStreamConfig,
  stationStreamConfig,
  streamConfig,
  unlessThere,
  updateStream,
} from './wire/streams.ts';

/** What a record says: with the type of the schema, so that who cannot read it can name what is missing. */
type RecordedSettings = StationSettings & { readonly schemaType?: string };

/** Streams that are made at the same time. */
const AT_ONCE = 16;

/** A cluster says the same of a server that is just being restarted and of one that it never had: wait a little. */
const PEERS_PATIENCE_MS = 5_000;

/**
 * Makes the streams of a station that are not there yet.
 *
 * @param limitMs how long the next request may take
 * @throws MemphisError `STATION_CONFLICT` where one is there with other settings
 */
async function createStreams(
  connection: Connection,
  name: string,
  settings: StationSettings,
  limitMs: () => number,
): Promise<void> {
  const partitions = Array.from({ length: settings.partitionsNumber }, (_, index) => index + 1);
  while (partitions.length > 0) {
    await Promise.all(
      partitions.splice(0, AT_ONCE).map(async (partition) => {
        const stream = streamOf(name, partition);
        try {
          await createStream(connection, stationStreamConfig(stream, settings), limitMs());
        } catch (error) {
          if (refusalOf(error) !== apiError.STREAM_NAME_IN_USE) throw error;
          throw new MemphisError(
            'STATION_CONFLICT',
            `Could not create station ${name}: stream ${stream} exists with other settings. Destroy it, or choose another name.`,
            { cause: error, station: name },
          );
        }
      }),
    );
  }
  const { storageType, replicas } = settings;
  const deadLetters = deadLetterStreamConfig(deadLetterStreamOf(name), storageType, replicas);
  await createStream(connection, deadLetters, limitMs()).catch(unlessThere);
}

/** Stores the record of a station, and makes the bucket for it where that is missing. */
async function putRecord(link: Link, name: string, settings: RecordedSettings, timeoutMs: number): Promise<void> {
  await store(
    link,
    recordSubject(name),
    { data: encodeJson({ ...settings, name }), headers: [] },
    {
      timeoutMs,
      onMissing: (connection, limitMs) =>
        createStream(connection, bucketConfig(BUCKET, settings.replicas), limitMs).catch(unlessThere),
    },
  );
}

/**
 * Makes a station of which nothing is there. May be called again.
 *
 * @param patienceMs for all of it
 */
export async function makeStation(
  link: Link,
  name: string,
  settings: RecordedSettings,
  patienceMs: number = PATIENCE_MS,
): Promise<void> {
  const untilMs = Date.now() + patienceMs;
  const giveUpAtMs = Date.now() + PEERS_PATIENCE_MS;
  await repeat(link, 'create station', patienceMs, async (connection, limitMs) => {
    try {
      await createStreams(connection, name, settings, () => Math.min(limitMs, leftUntil(untilMs)));
    } catch (error) {
      const mayCome = refusalOf(error) !== apiError.NO_SUITABLE_PEERS || Date.now() < giveUpAtMs;
      if (mayCome && !isMemphisError(error, 'UNSUPPORTED')) throw error; // that is a server without a cluster
      throw new MemphisError(
        'UNSUPPORTED',
        `Could not create station ${name}: there are no ${settings.replicas} servers that can take it. Ask for fewer replicas.`,
        { cause: error, station: name, option: 'replicas' },
      );
    }
  });
  if (settings.replicas > 1) await raiseReplicas(link, settings.replicas, leftUntil(untilMs));
  await putRecord(link, name, settings, leftUntil(untilMs));
}

/** A bucket that was made for a station with fewer replicas would be lost, or not answer, before this station does. */
async function raiseReplicas(link: Link, replicas: number, patienceMs: number): Promise<void> {
  await repeat(link, 'raise replicas', patienceMs, async (connection, limitMs) => {
    try {
      const config = await streamConfig(connection, `KV_${BUCKET}`, limitMs);
      if (Number(config.num_replicas) >= replicas) return;
      await updateStream(connection, { ...config, num_replicas: replicas }, limitMs);
    } catch (error) {
      if (refusalOf(error) !== apiError.STREAM_NOT_FOUND) throw error; // made with the record, as it shall be
    }
  });
}
