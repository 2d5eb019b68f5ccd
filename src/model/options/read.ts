/** Options of reading. */

import { DAY_MS, off, text } from '../option-spec.ts';
import { schemaReader } from './codec.ts';

/** `createConsumer`, `fetchMessages`, and part of `withMemphis`: how a group is read. */
export const readerOptions = {
  /** A stream that exists already, in place of a station; its settings and those of its groups are never changed. */
  stream: text,
  /** Which messages of that stream; left out: all, or what the group says. */
  filterSubject: text,
  /** The group that reads: its members share one position in the station. */
  group: text,
  /** Messages of one batch, at most. @default 10 */
  batchSize: { min: 1, max: 5_000, fallback: 10 },
  /** Milliseconds that a fetch waits for its first message. @default 5000 */
  batchMaxWaitMs: { min: 0, max: DAY_MS, fallback: 5_000 },
  /**
   * Milliseconds to settle a message before the broker delivers it again. Extended while a handler runs.
   *
   * @default 30000
   */
  maxAckTimeMs: { min: 100, max: DAY_MS, fallback: 30_000 },
  /** How often a handler may see a message before it goes to the dead letters. @default 10 */
  maxMsgDeliveries: { min: 1, max: 1_000_000, fallback: 10 },
  /**
   * Where a new group begins: at this sequence of each partition. A group that exists stands where it stands.
   *
   * @default 1
   */
  startConsumeFromSequence: { min: 1, max: Number.MAX_SAFE_INTEGER, fallback: 1 },
  /**
   * Where a new group begins: this many messages before the end of each partition; 0: with what comes from now on;
   * -1: not said.
   *
   * @default -1
   */
  lastMessages: { min: -1, max: Number.MAX_SAFE_INTEGER, fallback: -1 },
  /** Each partition hands out one message at a time, so that redeliveries are not overtaken. @default false */
  ordered: off,
  /** A codec for the station's schema, or a validator in its place; left out: the codecs that were imported. */
  schema: schemaReader,
  /**
   * What becomes of a stored message that does not fit the schema; `'pass'` hands it out as if there were no schema.
   *
   * @default 'deadLetter'
   */
  onInvalid: { values: ['deadLetter', 'retry', 'pass'], fallback: 'deadLetter' },
} as const;

/** `consumer.fetch` and `fetchMessages`. */
export const fetchOptions = {
  /** Messages of this batch, at most; left out: as the consumer says. */
  batchSize: { min: 1, max: 5_000 },
  /** Milliseconds to wait for the first message; left out: as the consumer says. */
  batchMaxWaitMs: { min: 0, max: DAY_MS },
  /** Fetch from this partition only. */
  partition: { min: 1, max: 10_000 },
  /** Fetch from the partition of this key only. */
  partitionKey: text,
} as const;
