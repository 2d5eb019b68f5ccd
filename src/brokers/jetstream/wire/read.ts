/**
 * Reading a stretch of a stream, without a position that anybody keeps: a consumer that is made for it, acks nothing,
 * and goes with the answer. Works alike on all servers from 2.9 on. In a cluster it is made on any node of the stream,
 * which may lag behind: the stream's leader is asked whether that was all.
 */

import type { Connection, HeaderList } from '../../../connection/port.ts';
import { wait } from '../../../connection/within.ts';
import { MemphisError } from '../../../model/errors.ts';
import { parseAckSubject } from './ack.ts';
import { apiError, callApi, isJson, refusalOf } from './api.ts';
import { startPull } from './pull.ts';

/** So long the server keeps a consumer that nobody asks, where it could not be deleted. */
const INACTIVE_NS = 10_000_000_000;
/** One request for messages asks for so many at most. */
const PULL_BATCH = 500;
const SILENCE_MS = 2_000;
/** Between two readings of a node that lags behind the leader. */
const LAG_MS = 50;

/** What is read. */
export interface Stretch {
  readonly stream: string;
  readonly filterSubject: string;
  /** From this sequence or this time on, or the newest message of each subject. */
  readonly from: number | Date | 'last of each subject';
  /** Messages at most. */
  readonly limit: number;
  readonly headersOnly?: boolean;
}

/** A message as a stream has it. */
export interface StreamMessage {
  readonly subject: string;
  readonly sequence: number;
  readonly timestamp: Date;
  readonly headers: HeaderList;
  readonly data: Uint8Array;
}

/*
 * $JS.API.CONSUMER.CREATE.<stream> { stream_name, config: { deliver_policy, opt_start_seq?, ack_policy: none, .. } }
 * { name, num_pending, .. }; stream missing: 404 10059
 */
async function createReading(
  connection: Connection,
  { stream, filterSubject, from, headersOnly = false }: Stretch,
  timeoutMs: number,
): Promise<{ readonly name: string; readonly pending: number }> {
  const reply = await callApi(connection, `CONSUMER.CREATE.${stream}`, `read stream ${stream}`, timeoutMs, {
    stream_name: stream,
    config: {
      ...(from === 'last of each subject'
        ? { deliver_policy: 'last_per_subject' }
        : from instanceof Date
          ? { deliver_policy: 'by_start_time', opt_start_time: from.toISOString() }
          : { deliver_policy: 'by_start_sequence', opt_start_seq: Math.max(1, from) }),
      ack_policy: 'none',
      filter_subject: filterSubject,
      replay_policy: 'instant',
      inactive_threshold: INACTIVE_NS,
      mem_storage: true,
      ...(headersOnly ? { headers_only: true } : {}),
    },
  });
  return { name: String(reply.name), pending: Number(reply.num_pending ?? 0) };
}

/* "NATS/1.0\r\nName: value\r\n\r\n" */
function parseHeaders(block: string): HeaderList {
  const lines = block.split('\r\n').slice(1).filter(Boolean);
  return lines.map((line) => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon), line.slice(colon + 1).trim()] as const;
  });
}

/*
 * $JS.API.STREAM.MSG.GET.<stream> { seq }, answered by the leader
 * { message: { subject, seq, hdrs?: base64, data?: base64, time } }; nothing there: 404 10037
 */
export async function messageAt(
  connection: Connection,
  stream: string,
  sequence: number,
  timeoutMs: number,
): Promise<StreamMessage> {
  const reply = await callApi(
    connection,
    `STREAM.MSG.GET.${stream}`,
    `read message ${sequence} of stream ${stream}`,
    timeoutMs,
    { seq: sequence },
  );
  const message = isJson(reply.message) ? reply.message : {};
  return {
    subject: String(message.subject),
    sequence,
    timestamp: new Date(String(message.time)),
    headers: parseHeaders(Buffer.from(String(message.hdrs ?? ''), 'base64').toString()),
    data: new Uint8Array(Buffer.from(String(message.data ?? ''), 'base64')),
  };
}

/**
 * The messages of a stretch, in order; fewer than the limit where the stream ends.
 *
 * @throws MemphisError `TIMEOUT`, `CONNECTION_LOST`, `PERMISSION_DENIED`, and as the API refuses
 */
export async function readStretch(
  connection: Connection,
  stretch: Stretch,
  timeoutMs: number,
): Promise<readonly StreamMessage[]> {
  const { stream, from, filterSubject, limit } = stretch;
  const untilMs = Date.now() + timeoutMs;
  for (;;) {
    const found = await readOnce(connection, stretch, timeoutMs);
    // of a time nobody knows the sequence: what is there is told
    if (from instanceof Date) return found;
    const last = found.at(-1)?.sequence ?? (from === 'last of each subject' ? 0 : from - 1);
    const isAll = found.length >= limit || !(await isMore(connection, stream, filterSubject, last + 1, timeoutMs));
    // with time over, what is there is the best answer
    if (isAll || Date.now() + LAG_MS >= untilMs) return found;
    await wait(LAG_MS);
  }
}

/*
 * $JS.API.STREAM.MSG.GET.<stream> { seq, next_by_subj }, answered by the leader; nothing there: 404 10037
 */
async function isMore(
  connection: Connection,
  stream: string,
  filterSubject: string,
  from: number,
  timeoutMs: number,
): Promise<boolean> {
  try {
    await callApi(connection, `STREAM.MSG.GET.${stream}`, `read stream ${stream}`, timeoutMs, {
      seq: Math.max(1, from),
      next_by_subj: filterSubject,
    });
    return true;
  } catch (error) {
    if (refusalOf(error) === apiError.MESSAGE_NOT_FOUND) return false;
    throw error;
  }
}

/** As `readStretch`, of the node that answers: it may lag behind the leader. */
export async function readOnce(
  connection: Connection,
  stretch: Stretch,
  timeoutMs: number,
): Promise<readonly StreamMessage[]> {
  const { stream, limit } = stretch;
  const { name, pending } = await createReading(connection, stretch, timeoutMs);
  const found: StreamMessage[] = [];
  let left = pending;
  try {
    while (left > 0 && found.length < limit) {
      const batch = Math.min(PULL_BATCH, limit - found.length);
      const before = found.length;
      const pull = startPull(
        connection,
        { stream, durable: name, batch, mayHang: true, waitMs: 0, silenceMs: Math.min(SILENCE_MS, timeoutMs) },
        (frame) => {
          const position = parseAckSubject(frame.reply);
          left = position.pending;
          const { subject, headers, data } = frame;
          found.push({ subject, headers, data, sequence: position.sequence, timestamp: position.timestamp });
        },
      );
      const end = await pull.ended;
      if (end !== 'done') throw interrupted(stream, end);
      if (found.length === before) break; // what was there has gone in the meantime
    }
    return found;
  } finally {
    try {
      connection.publish(`$JS.API.CONSUMER.DELETE.${stream}.${name}`, new Uint8Array());
    } catch {
      // the session ends: the server drops it by itself
    }
  }
}

function interrupted(stream: string, end: string): MemphisError {
  if (end === 'lost') return new MemphisError('CONNECTION_LOST', `The connection ended while ${stream} was read.`);
  if (end === 'denied') {
    return new MemphisError(
      'PERMISSION_DENIED',
      `Could not read stream ${stream}: this user lacks the permission. Allow it $JS.API.CONSUMER.MSG.NEXT.${stream}.> and _INBOX.>.`,
    );
  }
  return new MemphisError('TIMEOUT', `Stream ${stream} did not go on answering while it was read.`);
}
