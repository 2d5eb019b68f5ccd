/** Requests about streams: create, info, names, delete, and the last message of a subject. */

import type { Connection } from '../../../connection/port.ts';
import type { StationSettings } from '../../../model/station.ts';
import { apiError, callApi, isJson, type Json, nothingAt, refusalOf } from './api.ts';

const NS_PER_MS = 1_000_000;

/*
 * $JS.API.STREAM.CREATE.<stream>
 * { name, subjects: [..], retention: limits|interest, discard: old, storage: file|memory, num_replicas,
 *   max_msgs, max_bytes, max_age (ns), duplicate_window (ns), ... }
 * Same configuration again: success. Another one: 10058. Layout of a station: memphis-wire 8.1.
 */
export function stationStreamConfig(
  stream: string,
  settings: Pick<
    StationSettings,
    'retentionType' | 'retentionValue' | 'storageType' | 'replicas' | 'idempotencyWindowMs'
  >,
): Json {
  const { retentionType, retentionValue } = settings;
  return {
    name: stream,
    subjects: [`${stream}.>`],
    retention: retentionType === 'ack_based' ? 'interest' : 'limits',
    discard: 'old',
    storage: settings.storageType,
    num_replicas: settings.replicas,
    max_msgs: retentionType === 'messages' ? retentionValue : -1,
    max_bytes: retentionType === 'bytes' ? retentionValue : -1,
    max_age: retentionType === 'message_age_sec' ? retentionValue * 1000 * NS_PER_MS : 0,
    duplicate_window: settings.idempotencyWindowMs * NS_PER_MS,
  };
}

/** The stream of a station's dead letters: kept until somebody drops them. */
export function deadLetterStreamConfig(stream: string, storage: unknown, replicas: unknown): Json {
  return {
    name: stream,
    subjects: [`${stream}.>`],
    retention: 'limits',
    discard: 'new', // full: refuse, so that the source is not terminated
    storage: storage === 'memory' ? 'memory' : 'file',
    num_replicas: typeof replicas === 'number' && replicas > 0 ? replicas : 1,
    duplicate_window: 120_000 * NS_PER_MS,
  };
}

/** A bucket in the layout of NATS key-value stores, so that its tools can read it. */
export function bucketConfig(bucket: string, replicas: number): Json {
  return {
    name: `KV_${bucket}`,
    subjects: [`$KV.${bucket}.>`],
    retention: 'limits',
    discard: 'new',
    storage: 'file',
    num_replicas: replicas,
    max_msgs_per_subject: 1,
    allow_rollup_hdrs: true,
    deny_delete: true,
    allow_direct: true,
  };
}

export async function createStream(connection: Connection, config: Json, timeoutMs: number): Promise<void> {
  const name = String(config.name);
  const ask = (): Promise<Json> =>
    callApi(connection, `STREAM.CREATE.${name}`, `create stream ${name}`, timeoutMs, config);
  try {
    await ask();
  } catch (error) {
    // while somebody else makes the same stream, servers may say this for a moment: of that very stream
    if (refusalOf(error) !== apiError.SUBJECTS_OVERLAP) throw error;
    const found = await streamConfig(connection, name, timeoutMs).catch(() => undefined);
    if (found === undefined) throw error;
    await ask();
  }
}

/** To catch refusals of that with: it is there, by an earlier try or by somebody else. */
export const unlessThere = nothingAt(apiError.STREAM_NAME_IN_USE);

/*
 * $JS.API.STREAM.INFO.<stream>, no body
 * { config: {...}, state: { messages, bytes, first_seq, last_seq, .. }, .. }; missing: 404 10059
 */
function askInfo(connection: Connection, stream: string, timeoutMs: number): Promise<Json> {
  return callApi(connection, `STREAM.INFO.${stream}`, `look at stream ${stream}`, timeoutMs);
}

/** Its settings. */
export async function streamConfig(connection: Connection, stream: string, timeoutMs: number): Promise<Json> {
  const { config } = await askInfo(connection, stream, timeoutMs);
  return isJson(config) ? config : {};
}

/** The sequence of the last message that was stored; 0 where there was none. */
export async function lastSequence(connection: Connection, stream: string, timeoutMs: number): Promise<number> {
  const { state } = await askInfo(connection, stream, timeoutMs);
  return isJson(state) ? Number(state.last_seq ?? 0) : 0;
}

/*
 * $JS.API.STREAM.NAMES { offset, subject?: those that take it }
 * { total, offset, limit: 1024, streams: [..] | null }
 */
export async function streamNames(
  connection: Connection,
  timeoutMs: number,
  subject?: string,
): Promise<readonly string[]> {
  const page = (offset: number): Promise<Json> =>
    callApi(connection, 'STREAM.NAMES', 'list streams', timeoutMs, {
      offset,
      ...(subject === undefined ? {} : { subject }),
    });
  const namesIn = ({ streams }: Json): readonly string[] => (Array.isArray(streams) ? streams.map(String) : []);
  const first = await page(0);
  const names = namesIn(first);
  // the others together: a cold start waits for them
  const others: Promise<Json>[] = [];
  if (names.length > 0) {
    for (let at = names.length; at < Number(first.total ?? 0); at += names.length) others.push(page(at));
  }
  return others.length === 0 ? names : [names, ...(await Promise.all(others)).map(namesIn)].flat();
}

/* $JS.API.STREAM.UPDATE.<stream>: the whole configuration; schedules may be switched on later, not off. */
export async function updateStream(connection: Connection, config: Json, timeoutMs: number): Promise<void> {
  const name = String(config.name);
  await callApi(connection, `STREAM.UPDATE.${name}`, `update stream ${name}`, timeoutMs, config);
}

/* $JS.API.STREAM.DELETE.<stream>, no body: { success: true } */
export async function deleteStream(connection: Connection, stream: string, timeoutMs: number): Promise<void> {
  await callApi(connection, `STREAM.DELETE.${stream}`, `delete stream ${stream}`, timeoutMs);
}

/*
 * $JS.API.STREAM.PURGE.<stream> { filter?: subject, seq?: up to and without it }: { success: true, purged }
 */
export async function purgeStream(
  connection: Connection,
  stream: string,
  what: { readonly filter?: string; readonly seq?: number },
  timeoutMs: number,
): Promise<number> {
  const reply = await callApi(connection, `STREAM.PURGE.${stream}`, `purge stream ${stream}`, timeoutMs, what);
  return Number(reply.purged ?? 0);
}

/*
 * $JS.API.STREAM.MSG.DELETE.<stream> { seq, no_erase }: { success: true }; nothing there: 400 10043, or where the file that
 * it was in is gone too 500 10057 'no message found'
 * Without `no_erase` the server overwrites the message on disk, which takes it 1.5 ms each (2.15.2).
 */
/** @returns whether it was there */
export async function deleteMessage(
  connection: Connection,
  stream: string,
  sequence: number,
  timeoutMs: number,
): Promise<boolean> {
  try {
    await callApi(
      connection,
      `STREAM.MSG.DELETE.${stream}`,
      `delete message ${sequence} of stream ${stream}`,
      timeoutMs,
      { seq: sequence, no_erase: true },
    );
    return true;
  } catch (error) {
    const number = refusalOf(error);
    if (number === apiError.SEQUENCE_NOT_FOUND) return false;
    if (number === apiError.DELETE_FAILED && /no message found|deleted message|store EOF/.test(String(error)))
      return false;
    throw error;
  }
}

/*
 * $JS.API.STREAM.MSG.GET.<stream> { last_by_subj }
 * { message: { subject, seq, hdrs?: base64, data?: base64, time } }; nothing there: 404 10037
 */
export async function lastMessage(
  connection: Connection,
  stream: string,
  subject: string,
  timeoutMs: number,
): Promise<{ readonly data: Uint8Array; readonly isDeleted: boolean }> {
  const reply = await callApi(connection, `STREAM.MSG.GET.${stream}`, `read ${subject}`, timeoutMs, {
    last_by_subj: subject,
  });
  const message = isJson(reply.message) ? reply.message : {};
  return {
    data: Buffer.from(String(message.data ?? ''), 'base64'),
    isDeleted: message.hdrs !== undefined && areOfDeletion(String(message.hdrs)),
  };
}

function areOfDeletion(base64: string): boolean {
  const headers = Buffer.from(base64, 'base64').toString();
  return headers.includes('KV-Operation: DEL') || headers.includes('KV-Operation: PURGE');
}

/** The value of a key of a bucket, by its subject; nothing where either is missing. */
export async function lastValue(
  connection: Connection,
  bucket: string,
  subject: string,
  timeoutMs: number,
): Promise<Uint8Array | undefined> {
  const last = await lastMessage(connection, `KV_${bucket}`, subject, timeoutMs).catch(
    nothingAt(apiError.MESSAGE_NOT_FOUND, apiError.STREAM_NOT_FOUND),
  );
  return last?.isDeleted === false ? last.data : undefined;
}
