/** Telling what is there: one station with its partitions, groups and dead letters, or the names of all. */

import type { Link } from '../../connection/link.ts';
import type { Connection } from '../../connection/port.ts';
import type { RetentionType, StationSettings } from '../../model/station.ts';
import type { GroupState, StationDescription, StationListing } from '../../model/station-description.ts';
import { mapAtOnce } from './at-once.ts';
import { headerOf } from './headers.ts';
import { PATIENCE_MS, repeat } from './repeat.ts';
import {
  BUCKET,
  deadLetterStreamOf,
  partitionsOf,
  RECORDS,
  readRecord,
  recordedStation,
  retryStreamOf,
  stationNotFound,
  streamOf,
  toStationName,
} from './stations.ts';
import { apiError, type Json, refusalOf } from './wire/api.ts';
import { readStretch } from './wire/read.ts';
import { type DurableState, durableStates, streamInfo, subjectCounts } from './wire/stream-info.ts';
import { streamNames } from './wire/streams.ts';

const NS_PER_MS = 1_000_000;

/** What a request finds, or something else where the stream is not there. */
async function unlessMissing<T>(request: Promise<T>, otherwise: T): Promise<T> {
  try {
    return await request;
  } catch (error) {
    if (refusalOf(error) === apiError.STREAM_NOT_FOUND) return otherwise;
    throw error;
  }
}

/** @throws MemphisError `STATION_NOT_FOUND` */
export function describeStation(link: Link, name: string): Promise<StationDescription> {
  return repeat(link, 'describe station', PATIENCE_MS, async (connection, limitMs) => {
    const numbers = await partitionsOf(connection, name, limitMs);
    const [record, found, comingBack, deadLetters] = await Promise.all([
      readRecord(connection, name, limitMs),
      mapAtOnce(numbers, (partition) => unlessMissing(lookAt(connection, name, partition, limitMs), undefined)),
      countComingBack(connection, name, limitMs),
      unlessMissing(
        streamInfo(connection, deadLetterStreamOf(name), limitMs).then(({ state }) => state.messages),
        0,
      ),
    ]);
    const partitions = found.filter((partition) => partition !== undefined);
    const [first] = partitions;
    if (first === undefined) throw stationNotFound(name);
    return {
      name,
      isOurs: record !== undefined,
      settings: {
        ...settingsOf(first.config),
        partitionsNumber: record?.partitions.length ?? partitions.length,
        sendPoisonMsgToDls: record?.sendPoisonMsgToDls ?? true,
        sendSchemaFailedMsgToDls: record?.sendSchemaFailedMsgToDls ?? true,
        dlsStation: record?.dlsStation ?? '',
        schemaName: record?.schemaName ?? '',
        tieredStorageEnabled: false,
      },
      messages: partitions.reduce((sum, { state }) => sum + state.messages, 0),
      bytes: partitions.reduce((sum, { state }) => sum + state.bytes, 0),
      partitions: partitions.map(({ partition, state }) => ({ partition, ...state })),
      groups: toGroups(partitions, comingBack),
      deadLetters,
    };
  });
}

/** Names of all stations, those of others too, in order. */
export function listStations(link: Link): Promise<readonly StationListing[]> {
  return repeat(link, 'list stations', PATIENCE_MS, async (connection, limitMs) => {
    const streams = await streamNames(connection, limitMs);
    const recorded = await recordedStations(connection, limitMs);
    const numbered = new Set<string>();
    for (const stream of streams) {
      const name = toStationName(/^(.+)\$[1-9]\d*$/.exec(stream)?.[1] ?? '');
      if (name !== undefined) numbered.add(name);
    }
    // a stream without a number is a station where it takes what is produced into one
    const bare = streams.filter((stream) => toStationName(stream) !== undefined);
    const taken = await mapAtOnce(bare, async (stream) =>
      (await streamNames(connection, limitMs, `${stream}.final`)).includes(stream),
    );
    const names = new Set([
      ...numbered,
      ...bare.filter((_, index) => taken[index]).map((name) => name.replaceAll('#', '.')),
    ]);
    return [...names].sort().map((name) => ({ name, isOurs: recorded.has(name) }));
  });
}

interface PartitionFound {
  readonly partition: number;
  readonly config: Json;
  readonly state: Awaited<ReturnType<typeof streamInfo>>['state'];
  readonly durables: readonly DurableState[];
}

async function lookAt(
  connection: Connection,
  station: string,
  partition: number,
  limitMs: number,
): Promise<PartitionFound> {
  const stream = streamOf(station, partition);
  const { config, state } = await streamInfo(connection, stream, limitMs);
  return { partition, config, state, durables: await durableStates(connection, stream, limitMs) };
}

/** By group in internal form. Subjects: `<internal>$retry.<due|later>.<group>.<p>...` */
async function countComingBack(
  connection: Connection,
  station: string,
  limitMs: number,
): Promise<ReadonlyMap<string, number>> {
  const stream = retryStreamOf(station);
  const bySubject = await unlessMissing(subjectCounts(connection, stream, `${stream}.>`, limitMs), new Map());
  const counts = new Map<string, number>();
  for (const [subject, count] of bySubject) {
    const [, , group = ''] = subject.split('.');
    counts.set(group, (counts.get(group) ?? 0) + count);
  }
  return counts;
}

function toGroups(
  partitions: readonly PartitionFound[],
  comingBack: ReadonlyMap<string, number>,
): readonly GroupState[] {
  const names = new Set([
    ...partitions.flatMap(({ durables }) => durables.map(({ name }) => name)),
    ...comingBack.keys(),
  ]);
  return [...names].sort().map((name) => {
    const own = partitions.flatMap(({ partition, durables }) => {
      const found = durables.find((durable) => durable.name === name);
      if (found === undefined) return [];
      const { pending, ackPending, redelivered } = found;
      return [{ partition, pending, ackPending, redelivered }];
    });
    const sum = (of: 'pending' | 'ackPending' | 'redelivered'): number =>
      own.reduce((total, state) => total + state[of], 0);
    return {
      name: name.replaceAll('#', '.'),
      pending: sum('pending'),
      ackPending: sum('ackPending'),
      redelivered: sum('redelivered'),
      comingBack: comingBack.get(name) ?? 0,
      partitions: own,
    };
  });
}

/** What a stream's configuration says of a station's settings. */
function settingsOf(
  config: Json,
): Pick<StationSettings, 'retentionType' | 'retentionValue' | 'storageType' | 'replicas' | 'idempotencyWindowMs'> {
  const limit = (name: string): number => Math.max(0, Number(config[name] ?? 0));
  const ageSeconds = limit('max_age') / NS_PER_MS / 1000;
  const [retentionType, retentionValue]: readonly [RetentionType, number] =
    config.retention !== 'limits'
      ? ['ack_based', 0]
      : limit('max_msgs') > 0
        ? ['messages', limit('max_msgs')]
        : limit('max_bytes') > 0
          ? ['bytes', limit('max_bytes')]
          : ['message_age_sec', ageSeconds];
  return {
    retentionType,
    retentionValue,
    storageType: config.storage === 'memory' ? 'memory' : 'file',
    replicas: Math.max(1, Number(config.num_replicas ?? 1)),
    idempotencyWindowMs: limit('duplicate_window') / NS_PER_MS,
  };
}

/** Stations with a record; one that was destroyed has left a mark of its removal. */
async function recordedStations(connection: Connection, limitMs: number): Promise<ReadonlySet<string>> {
  const records = await unlessMissing(
    readStretch(
      connection,
      {
        stream: `KV_${BUCKET}`,
        filterSubject: RECORDS,
        from: 'last of each subject',
        limit: Number.MAX_SAFE_INTEGER,
        headersOnly: true,
      },
      limitMs,
    ),
    [],
  );
  const kept = records.filter(({ headers }) => headerOf(headers, 'KV-Operation') === undefined);
  return new Set(kept.map(({ subject }) => recordedStation(subject)));
}
