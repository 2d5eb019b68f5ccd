/** Builds pushed events from plain values, for tests of functions. */

import { Buffer } from 'node:buffer';
import { type MemphisEvent, toEvent } from '../envelope/event.ts';
import type { Headers, StoredMessage } from '../model/message.ts';
import { toInternalName } from '../model/station.ts';

/** What may differ from message to message; all have defaults. */
export interface MakeEventDetails {
  /** @default 1 */
  readonly partition?: number;
  /** @default 1 for the first message, then 2, and so on */
  readonly sequence?: number;
  /** @default 1 */
  readonly deliveryCount?: number;
  /** @default 1 January 2026, UTC */
  readonly timestamp?: Date;
  readonly headers?: Headers;
  readonly partitionKey?: string;
}

/** Options of {@link makeEvent}; the details in it hold for all messages. */
export interface MakeEventOptions extends Omit<MakeEventDetails, 'sequence'> {
  /** Values: bytes and texts go as they are, everything else as JSON. */
  readonly messages: readonly unknown[];
  /** @default 'orders' */
  readonly station?: string;
  /** @default 'billing' */
  readonly group?: string;
  /** @default '<station>-to-<group>' */
  readonly mapping?: string;
  /** Details of single messages, over those that hold for all. */
  readonly details?: (value: unknown, index: number) => MakeEventDetails;
}

/**
 * Makes the event that a poller would send.
 *
 * @example
 * ```ts
 * const answer = await handler(makeEvent({ messages: [{ id: 1 }, { id: 2 }] }), makeContext());
 * ```
 */
export function makeEvent(options: MakeEventOptions): MemphisEvent {
  const { station = 'orders', group = 'billing', mapping = `${station}-to-${group}`, messages } = options;
  const stored = messages.map((value, index): StoredMessage => {
    const merged = { ...options, ...options.details?.(value, index) };
    const { partition = 1, sequence = index + 1, deliveryCount = 1, headers = {}, partitionKey } = merged;
    return {
      id: `${toInternalName(station)}$${partition}:${sequence}`,
      station,
      partition,
      sequence,
      deliveryCount,
      timestamp: merged.timestamp ?? new Date(Date.UTC(2026, 0, 1)),
      headers,
      ...(partitionKey !== undefined && { partitionKey }),
      data: toBytes(value),
    };
  });
  return toEvent({ mapping, station, group }, stored);
}

function toBytes(value: unknown): Uint8Array {
  if (value instanceof Uint8Array) return value;
  return Buffer.from(typeof value === 'string' ? value : (JSON.stringify(value) ?? ''));
}
