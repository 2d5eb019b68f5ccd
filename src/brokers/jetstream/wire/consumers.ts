/** Requests about durables: create, info, delete. */

import type { Connection } from '../../../connection/port.ts';
import { callApi, isJson, type Json } from './api.ts';

const NS_PER_MS = 1_000_000;

/** A durable as far as we care. */
export interface Durable {
  readonly ackWaitMs: number;
  /** -1: no limit. */
  readonly maxDeliver: number;
}

function toDurable(reply: Json): Durable {
  const config = isJson(reply.config) ? reply.config : {};
  return { ackWaitMs: Number(config.ack_wait ?? 0) / NS_PER_MS, maxDeliver: Number(config.max_deliver ?? -1) };
}

/*
 * $JS.API.CONSUMER.DURABLE.CREATE.<stream>.<durable>
 * { stream_name, config: { durable_name, deliver_policy, ack_policy, ack_wait (ns), max_deliver, filter_subject, .. } }
 * Settings as the broker of Memphis makes them (memphis-wire 5.2), but for max_deliver: docs/decisions/002.
 * On an existing durable it changes ack_wait and leaves the position alone.
 */
export async function createDurable(
  connection: Connection,
  durable: {
    readonly stream: string;
    readonly name: string;
    readonly ackWaitMs: number;
    readonly filterSubject: string;
  },
  timeoutMs: number,
): Promise<Durable> {
  const { stream, name, ackWaitMs, filterSubject } = durable;
  const reply = await callApi(connection, {
    subject: `$JS.API.CONSUMER.DURABLE.CREATE.${stream}.${name}`,
    body: {
      stream_name: stream,
      config: {
        durable_name: name,
        deliver_policy: 'all',
        ack_policy: 'explicit',
        ack_wait: ackWaitMs * NS_PER_MS,
        max_deliver: -1,
        filter_subject: filterSubject,
        replay_policy: 'instant',
        max_ack_pending: -1,
      },
    },
    attempted: `create group ${name} on ${stream}`,
    timeoutMs,
  });
  return toDurable(reply);
}

/* $JS.API.CONSUMER.INFO.<stream>.<durable>, no body: { config, num_pending, num_ack_pending, .. }; missing: 404 10014 */
export async function durableInfo(
  connection: Connection,
  stream: string,
  durable: string,
  timeoutMs: number,
): Promise<Durable> {
  const reply = await callApi(connection, {
    subject: `$JS.API.CONSUMER.INFO.${stream}.${durable}`,
    attempted: `look at group ${durable} on ${stream}`,
    timeoutMs,
  });
  return toDurable(reply);
}

/* $JS.API.CONSUMER.DELETE.<stream>.<durable>, no body: { success: true } */
export async function deleteDurable(
  connection: Connection,
  stream: string,
  durable: string,
  timeoutMs: number,
): Promise<void> {
  await callApi(connection, {
    subject: `$JS.API.CONSUMER.DELETE.${stream}.${durable}`,
    attempted: `delete group ${durable} on ${stream}`,
    timeoutMs,
  });
}
