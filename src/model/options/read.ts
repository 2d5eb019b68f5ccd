/** Options of reading. */

import { DAY_MS, flag, integer, oneOf, optionalInteger, text } from '../option-spec.ts';
import { schemaReader } from './codec.ts';

/** `createConsumer`, `fetchMessages`, and part of `withMemphis`: how a group is read. */
export const readerOptions = {
  /** A stream that exists already, in place of a station; its settings and those of its groups are never changed. */
  stream: text<undefined>(undefined),
  /** Which messages of that stream; left out: all, or what the group says. */
  filterSubject: text<undefined>(undefined),
  group: text<undefined>(undefined),
  batchSize: integer(1, 5_000, 10),
  /** How long a fetch waits for the first message. */
  batchMaxWaitMs: integer(0, DAY_MS, 5_000),
  /** Time to settle a message before the broker delivers it again. */
  maxAckTimeMs: integer(100, DAY_MS, 30_000),
  /** How often a handler may see a message before it goes to the dead letters. */
  maxMsgDeliveries: integer(1, 1_000_000, 10),
  /** Where a group begins that does not exist yet: at this sequence of each partition. */
  startConsumeFromSequence: integer(1, Number.MAX_SAFE_INTEGER, 1),
  /** Where a group begins that does not exist yet: so many before the end of each partition; -1: does not say. */
  lastMessages: integer(-1, Number.MAX_SAFE_INTEGER, -1),
  /** Each partition hands out one message at a time, so that redeliveries are not overtaken. */
  ordered: flag(false),
  /** A codec for the station's schema, or a validator in its place; left out: the codecs that were imported. */
  schema: schemaReader,
  /** What becomes of a message that does not fit the schema; `pass`: handed out, read as if there were none. */
  onInvalid: oneOf(['deadLetter', 'retry', 'pass'], 'deadLetter'),
} as const;

/** `consumer.fetch` and `fetchMessages`. */
export const fetchOptions = {
  batchSize: optionalInteger(1, 5_000),
  batchMaxWaitMs: optionalInteger(0, DAY_MS),
  partition: optionalInteger(1, 10_000),
  partitionKey: text<undefined>(undefined),
} as const;
