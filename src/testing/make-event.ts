/** Builds pushed events from plain values, for tests of functions. */

import { Buffer } from 'node:buffer';
import { type MemphisEvent, toEvent } from '../envelope/event.ts';
import { MemphisError } from '../model/errors.ts';
import { isList } from '../model/fields.ts';
import type { Headers, StoredMessage } from '../model/message.ts';
import { callback, type GivenOver, must, type Resolved, readTexts, text } from '../model/option-spec.ts';
import { checkOptions, resolveOptions } from '../model/resolve-options.ts';
import { checkName, toInternalName } from '../model/station.ts';

const commonDetails = {
  /** @default 1 */
  partition: { min: 0, max: 10_000, fallback: 1 },
  /** Above 1: a redelivery. @default 1 */
  deliveryCount: { min: 1, max: Number.MAX_SAFE_INTEGER, fallback: 1 },
  /** When the broker stored it. @default the first moment of 2026, in UTC */
  timestamp: {
    read: (value: unknown) =>
      value instanceof Date && !Number.isNaN(value.getTime()) ? value : must('a date that is one'),
    fallback: new Date(Date.UTC(2026, 0, 1)),
  },
  /** @default {} */
  headers: { read: readTexts, fallback: {} as Headers },
  /** Left out: messages have none. */
  partitionKey: text,
} as const;

const detailOptions = {
  ...commonDetails,
  /** Left out: 1 for the first message, then 2, and so on. */
  sequence: { min: 1, max: Number.MAX_SAFE_INTEGER },
} as const;

/** What may differ from message to message; all have defaults. */
export interface MakeEventDetails extends GivenOver<typeof detailOptions, typeof commonDetails> {}

const eventOptions = {
  ...commonDetails,
  /** Values: bytes and texts go as they are, everything else as JSON. */
  messages: {
    read: (value: unknown) => (isList(value) ? value : must('a list of values')),
    fallback: undefined as readonly unknown[] | undefined,
  },
  /** @default 'orders' */
  station: { fallback: 'orders' },
  /** @default 'billing' */
  group: { fallback: 'billing' },
  /** Left out: `<station>-to-<group>`. */
  mapping: text,
  /** Details of single messages, over those that hold for all. */
  details: callback<(value: unknown, index: number) => MakeEventDetails>(),
} as const;

/** Options of {@link makeEvent}; the details in it hold for all messages. */
export interface MakeEventOptions extends Omit<GivenOver<typeof eventOptions, typeof commonDetails>, 'messages'> {
  /** Values: bytes and texts go as they are, everything else as JSON. */
  readonly messages: readonly unknown[];
}

/**
 * Makes the event that a poller would send.
 *
 * @throws MemphisError `INVALID_OPTION`, `INVALID_NAME`, `INVALID_MESSAGE` for a value that JSON cannot write
 * @example
 * ```ts
 * const answer = await handler(makeEvent({ messages: [{ id: 1 }, { id: 2 }] }), makeContext());
 * ```
 */
export function makeEvent(options: MakeEventOptions): MemphisEvent {
  const { messages, details, mapping, ...given } = resolveOptions('makeEvent', eventOptions, options);
  if (messages === undefined) {
    throw new MemphisError('INVALID_OPTION', 'makeEvent: the option messages is missing.', { option: 'messages' });
  }
  const { station: name, group: groupName, ...common } = given;
  const station = checkName('station', name);
  const group = checkName('group', groupName);
  const stored = Array.from(messages, (value, index): StoredMessage => {
    const own = checkOptions('makeEvent: details', detailOptions, details?.(value, index));
    const {
      partition,
      sequence = index + 1,
      deliveryCount,
      timestamp,
      headers,
      partitionKey,
    } = {
      ...common,
      ...own,
    } as Resolved<typeof detailOptions>;
    return {
      id: `${toInternalName(station)}$${partition}:${sequence}`,
      station,
      partition,
      sequence,
      deliveryCount,
      timestamp,
      headers,
      ...(partitionKey !== undefined && { partitionKey }),
      data: toBytes(value, index),
    };
  });
  return toEvent({ mapping: mapping ?? `${station}-to-${group}`, station, group }, stored);
}

function toBytes(value: unknown, index: number): Uint8Array {
  if (typeof value === 'string') return Buffer.from(value);
  try {
    if (value instanceof Uint8Array) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
    return Buffer.from(JSON.stringify(value) ?? '');
  } catch (cause) {
    throw new MemphisError('INVALID_MESSAGE', `makeEvent: message ${index} is neither bytes nor text nor JSON.`, {
      cause,
    });
  }
}
