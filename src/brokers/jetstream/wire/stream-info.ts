/** Requests that tell what a stream holds, and where its durables stand. */

import type { Connection } from '../../../connection/port.ts';
import { callApi, isJson, type Json } from './api.ts';

/** What a stream holds. */
export interface StreamState {
  readonly messages: number;
  readonly bytes: number;
  readonly firstSequence: number;
  readonly lastSequence: number;
  readonly firstAt?: Date;
  readonly lastAt?: Date;
}

/* "2026-01-01T00:00:00.000000001Z"; of an empty stream the year 1 */
function toDate(text: unknown): Date | undefined {
  const date = new Date(typeof text === 'string' ? text : Number.NaN);
  return date.getTime() > 0 ? date : undefined;
}

/*
 * $JS.API.STREAM.INFO.<stream>, no body
 * { config: {...}, state: { messages, bytes, first_seq, first_ts, last_seq, last_ts, .. }, .. }; missing: 404 10059
 */
export async function streamInfo(
  connection: Connection,
  stream: string,
  timeoutMs: number,
): Promise<{ readonly config: Json; readonly state: StreamState }> {
  const reply = await callApi(connection, `STREAM.INFO.${stream}`, `look at stream ${stream}`, timeoutMs);
  const state = isJson(reply.state) ? reply.state : {};
  const firstAt = toDate(state.first_ts);
  const lastAt = toDate(state.last_ts);
  return {
    config: isJson(reply.config) ? reply.config : {},
    state: {
      messages: Number(state.messages ?? 0),
      bytes: Number(state.bytes ?? 0),
      firstSequence: Number(state.first_seq ?? 0),
      lastSequence: Number(state.last_seq ?? 0),
      ...(firstAt === undefined ? {} : { firstAt }),
      ...(lastAt === undefined ? {} : { lastAt }),
    },
  };
}

/*
 * $JS.API.STREAM.INFO.<stream> { subjects_filter, offset }
 * { total, offset, limit: 100000, state: { subjects: { <subject>: <messages> } } }; without a match no `subjects`
 */
export async function subjectCounts(
  connection: Connection,
  stream: string,
  filter: string,
  timeoutMs: number,
): Promise<ReadonlyMap<string, number>> {
  const counts = new Map<string, number>();
  for (let offset = 0; ; ) {
    const reply = await callApi(connection, `STREAM.INFO.${stream}`, `count messages of stream ${stream}`, timeoutMs, {
      subjects_filter: filter,
      offset,
    });
    const state = isJson(reply.state) ? reply.state : {};
    const page = Object.entries(isJson(state.subjects) ? state.subjects : {});
    for (const [subject, count] of page) counts.set(subject, Number(count));
    offset += page.length;
    if (page.length === 0 || offset >= Number(reply.total ?? 0)) return counts;
  }
}

/** Where a durable stands. */
export interface DurableState {
  readonly name: string;
  readonly pending: number;
  readonly ackPending: number;
  readonly redelivered: number;
  /** How often it hands out a message; below 1: without end. */
  readonly maxDeliver: number;
  /** Of the last message that was handed out. */
  readonly deliveredSequence: number;
  /** Up to here everything is settled. */
  readonly ackFloorSequence: number;
}

function sequenceIn(position: unknown): number {
  return isJson(position) ? Number(position.stream_seq ?? 0) : 0;
}

/*
 * $JS.API.CONSUMER.LIST.<stream> { offset }
 * { total, offset, limit: 256, consumers: [{ name, config: { durable_name?, max_deliver }, num_pending, num_ack_pending, num_redelivered,
 *   delivered: { stream_seq }, ack_floor: { stream_seq } }] | null }
 */
export async function durableStates(
  connection: Connection,
  stream: string,
  timeoutMs: number,
): Promise<readonly DurableState[]> {
  const found: DurableState[] = [];
  for (let offset = 0; ; ) {
    const reply = await callApi(connection, `CONSUMER.LIST.${stream}`, `list groups of ${stream}`, timeoutMs, {
      offset,
    });
    const page = Array.isArray(reply.consumers) ? reply.consumers.filter(isJson) : [];
    for (const consumer of page) {
      const config: Json = isJson(consumer.config) ? consumer.config : {};
      const name = config.durable_name;
      // made for one reading; up to 1.4.1 a Memphis broker makes durables for what its interface shows
      if (typeof name !== 'string' || name.startsWith('$memphis_')) continue;
      found.push({
        name,
        pending: Number(consumer.num_pending ?? 0),
        ackPending: Number(consumer.num_ack_pending ?? 0),
        redelivered: Number(consumer.num_redelivered ?? 0),
        maxDeliver: Number(config.max_deliver ?? -1),
        deliveredSequence: sequenceIn(consumer.delivered),
        ackFloorSequence: sequenceIn(consumer.ack_floor),
      });
    }
    offset += page.length;
    if (page.length === 0 || offset >= Number(reply.total ?? 0)) return found;
  }
}
