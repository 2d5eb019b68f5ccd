/** Options of producing. */

import type { MemphisError } from '../errors.ts';
import { callback, DAY_MS, off, text, texts } from '../option-spec.ts';
import type { FailedMessage } from '../receipt.ts';
import { schemaReader } from './codec.ts';

/** Told of a message that was produced without waiting and is not stored. What it throws leaves the failure untaken. */
export type OnProduceError = (error: MemphisError, failed: FailedMessage) => unknown;

/** `createProducer`. */
export const producerOptions = {
  /** The producer's name, in lower case. Travels with each message. @default 'memphis-serverless' */
  name: { fallback: 'memphis-serverless' },
  /** Makes the name unlike any other: `_` and eight random hexadecimal digits. @default false */
  genUniqueSuffix: off,
  /** Milliseconds to wait for the broker's confirmation. @default 15000 */
  ackWaitMs: { min: 1, max: DAY_MS, fallback: 15_000 },
  /** Takes the failures of what is produced with `async`; left out: `flush()`, `destroy()` or `close()` throws them. */
  onError: callback<OnProduceError>(),
  /** A codec for the station's schema, or a validator in its place; left out: the codecs that were imported. */
  schema: schemaReader,
} as const;

/** `producer.produce` and `memphis.produce`. */
export const produceOptions = {
  /** Milliseconds to wait for the broker's confirmation; left out: as the producer says. */
  ackWaitMs: { min: 1, max: DAY_MS },
  /** Headers of the message: names and texts. */
  headers: texts,
  /** Stored once within the station's idempotency window. Picks the partition where neither key nor number does. */
  msgId: text,
  /** Messages of one key go to one partition. */
  partitionKey: text,
  /** The number of a partition, 1 and up, in place of the key. */
  partition: { min: 1, max: 10_000 },
  /** Resolve when the message is written, not when it is stored. @default false */
  async: off,
  /** With `async`: takes the failure of this message; left out: the producer's `onError`. */
  onError: callback<OnProduceError>(),
} as const;

/** `producer.produceBatch` and `memphis.produceBatch`. */
export const produceBatchOptions = {
  /** Milliseconds for each message, from when it is sent; left out: as the producer says. */
  ackWaitMs: { min: 1, max: DAY_MS },
  /** Called once for each message: its `headers`, `msgId`, `partitionKey` or `partition`. */
  optionsFor: callback<(message: never, index: number) => unknown>(),
} as const;
