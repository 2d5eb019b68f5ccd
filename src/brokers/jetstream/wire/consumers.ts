/** Requests about durables: create, info, names, delete. */

import type { Connection } from '../../../connection/port.ts';
import { apiError, callApi, isJson, type Json } from './api.ts';

const NS_PER_MS = 1_000_000;

/** A durable as far as we care. */
export interface Durable {
  readonly ackWaitMs: number;
  /** -1: no limit. */
  readonly maxDeliver: number;
  /** How many may be out unsettled, delayed ones included; -1: no limit. */
  readonly maxAckPending: number;
  /** How many one request may ask for; 0: no limit. */
  readonly maxBatch: number;
  /** How long one request may wait; 0: no limit. */
  readonly maxExpiresMs: number;
  /** The latest of its deliveries that the broker knows of. */
  readonly consumerSequence: number;
  /** As its maker left it; ours say where they began. */
  readonly description: string;
  /** All of its settings, so that an update changes nothing else. */
  readonly config: Json;
  /** The answer that this was read off. */
  readonly said: Json;
}

function toDurable(reply: Json): Durable {
  const config = isJson(reply.config) ? reply.config : {};
  const delivered = isJson(reply.delivered) ? reply.delivered : {};
  return {
    consumerSequence: Number(delivered.consumer_seq ?? 0),
    ackWaitMs: Number(config.ack_wait ?? 0) / NS_PER_MS,
    maxDeliver: Number(config.max_deliver ?? -1),
    maxAckPending: Number(config.max_ack_pending ?? -1),
    maxBatch: Number(config.max_batch ?? 0),
    maxExpiresMs: Number(config.max_expires ?? 0) / NS_PER_MS,
    description: String(config.description ?? ''),
    config,
    said: reply,
  };
}

/** How many messages it has not delivered, and how many it has out. */
export function backlogOf({ said }: Durable): { readonly pending: number; readonly ackPending: number } {
  return { pending: Number(said.num_pending ?? 0), ackPending: Number(said.num_ack_pending ?? 0) };
}

/** Where a durable begins. */
export type DeliverFrom =
  | { readonly deliver_policy: 'all' | 'new' }
  | { readonly deliver_policy: 'by_start_sequence'; readonly opt_start_seq: number };

/** Settings of a durable that we make. */
export interface NewDurable {
  readonly name: string;
  /** Left out: none, as the broker of Memphis makes them. */
  readonly description?: string;
  readonly ackWaitMs: number;
  /** Left out: no limit. */
  readonly maxDeliver?: number;
  /** Left out: all of the stream. */
  readonly filterSubject?: string;
  readonly from: DeliverFrom;
  readonly maxAckPending: number;
}

/*
 * $JS.API.CONSUMER.DURABLE.CREATE.<stream>.<durable>
 * { stream_name, config: { durable_name, description, deliver_policy, opt_start_seq?, ack_policy, ack_wait (ns), max_deliver, filter_subject, .. } }
 * Settings as the broker of Memphis makes them (memphis-wire 5.2), but for max_deliver: docs/decisions/002.
 */
export async function createDurable(
  connection: Connection,
  stream: string,
  durable: NewDurable,
  timeoutMs: number,
): Promise<Durable> {
  const { name, description, ackWaitMs, maxDeliver = -1, filterSubject, from, maxAckPending } = durable;
  return putDurable(
    connection,
    stream,
    {
      durable_name: name,
      ...(description === undefined ? {} : { description }),
      ...from,
      ack_policy: 'explicit',
      ack_wait: ackWaitMs * NS_PER_MS,
      max_deliver: maxDeliver,
      ...(filterSubject === undefined ? {} : { filter_subject: filterSubject }),
      replay_policy: 'instant',
      max_ack_pending: maxAckPending,
    },
    timeoutMs,
  );
}

/** Changes an existing durable; its position, its filter and where it began stay. */
export async function updateDurable(
  connection: Connection,
  stream: string,
  durable: Durable,
  change: { readonly ackWaitMs: number; readonly maxAckPending: number; readonly maxDeliver?: number },
  timeoutMs: number,
): Promise<Durable> {
  const { ackWaitMs, maxAckPending, maxDeliver = durable.maxDeliver } = change;
  const limits = { ack_wait: ackWaitMs * NS_PER_MS, max_deliver: maxDeliver, max_ack_pending: maxAckPending };
  const config = { ...durable.config, ...limits };
  return putDurable(connection, stream, config, timeoutMs);
}

async function putDurable(connection: Connection, stream: string, config: Json, timeoutMs: number): Promise<Durable> {
  const name = String(config.durable_name);
  const reply = await callApi(
    connection,
    `CONSUMER.DURABLE.CREATE.${stream}.${name}`,
    `create group ${name} on ${stream}`,
    timeoutMs,
    { stream_name: stream, config },
  );
  return toDurable(reply);
}

/* $JS.API.CONSUMER.INFO.<stream>.<durable>, no body: { config, num_pending, num_ack_pending, .. }; missing: 404 10014 */
export async function durableInfo(
  connection: Connection,
  stream: string,
  durable: string,
  timeoutMs: number,
): Promise<Durable> {
  const reply = await callApi(
    connection,
    `CONSUMER.INFO.${stream}.${durable}`,
    `look at group ${durable} on ${stream}`,
    timeoutMs,
  );
  return toDurable(reply);
}

/*
 * $JS.API.CONSUMER.NAMES.<stream> { offset }
 * { total, offset, limit: 1024, consumers: [..] | null }; stream missing: 404 10059, which is none
 */
export async function durableNames(
  connection: Connection,
  stream: string,
  timeoutMs: number,
): Promise<readonly string[]> {
  const names: string[] = [];
  for (;;) {
    const reply = await callApi(
      connection,
      `CONSUMER.NAMES.${stream}`,
      `list groups of ${stream}`,
      timeoutMs,
      { offset: names.length },
      apiError.STREAM_NOT_FOUND,
    );
    const page = Array.isArray(reply.consumers) ? reply.consumers.map(String) : [];
    names.push(...page);
    if (page.length === 0 || names.length >= Number(reply.total ?? 0)) return names;
  }
}

/* $JS.API.CONSUMER.DELETE.<stream>.<durable>, no body: { success: true } */
export async function deleteDurable(
  connection: Connection,
  stream: string,
  durable: string,
  timeoutMs: number,
): Promise<void> {
  await callApi(connection, `CONSUMER.DELETE.${stream}.${durable}`, `delete group ${durable} on ${stream}`, timeoutMs);
}
