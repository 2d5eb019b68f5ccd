/** Options of reading. */

import { DAY_MS, off, text } from '../option-spec.ts';
import { schemaReader } from './codec.ts';

/** `createConsumer`, `fetchMessages`, and part of `withMemphis`: how a group is read. */
export const readerOptions = {
  /** A stream that exists already, in place of a station; its settings and those of its groups are never changed. */
  stream: text,
  /** Which messages of that stream; left out: all, or what the group says. */
  filterSubject: text,
  group: text,
  batchSize: { min: 1, max: 5_000, fallback: 10 },
  /** How long a fetch waits for the first message. */
  batchMaxWaitMs: { min: 0, max: DAY_MS, fallback: 5_000 },
  /** Time to settle a message before the broker delivers it again. */
  maxAckTimeMs: { min: 100, max: DAY_MS, fallback: 30_000 },
  /** How often a handler may see a message before it goes to the dead letters. */
  maxMsgDeliveries: { min: 1, max: 1_000_000, fallback: 10 },
  /** Where a group begins that does not exist yet: at this sequence of each partition. */
  startConsumeFromSequence: { min: 1, max: Number.MAX_SAFE_INTEGER, fallback: 1 },
  /** Where a group begins that does not exist yet: so many before the end of each partition; -1: does not say. */
  lastMessages: { min: -1, max: Number.MAX_SAFE_INTEGER, fallback: -1 },
  /** Each partition hands out one message at a time, so that redeliveries are not overtaken. */
  ordered: off,
  /** A codec for the station's schema, or a validator in its place; left out: the codecs that were imported. */
  schema: schemaReader,
  /** What becomes of a message that does not fit the schema; `pass`: handed out, read as if there were none. */
  onInvalid: { values: ['deadLetter', 'retry', 'pass'], fallback: 'deadLetter' },
} as const;

/** `consumer.fetch` and `fetchMessages`. */
export const fetchOptions = {
  batchSize: { min: 1, max: 5_000 },
  batchMaxWaitMs: { min: 0, max: DAY_MS },
  partition: { min: 1, max: 10_000 },
  partitionKey: text,
} as const;
