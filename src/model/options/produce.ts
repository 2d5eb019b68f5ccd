/** Options of producing. */

import type { MemphisError } from '../errors.ts';
import { callback, DAY_MS, off, text, texts } from '../option-spec.ts';
import type { FailedMessage } from '../receipt.ts';
import { schemaReader } from './codec.ts';

/** Told of a message that was produced without waiting and is not stored. What it throws leaves the failure untaken. */
export type OnProduceError = (error: MemphisError, failed: FailedMessage) => unknown;

/** `createProducer`. */
export const producerOptions = {
  /** Shown by tools; lower case. */
  name: { fallback: 'memphis-serverless' },
  /** Makes the name unlike any other: `_` and eight random hexadecimal digits. */
  genUniqueSuffix: off,
  ackWaitMs: { min: 1, max: DAY_MS, fallback: 15_000 },
  /** Takes the failures of what is produced with `async`; left out: `flush()`, `destroy()` or `close()` throws them. */
  onError: callback<OnProduceError>(),
  /** A codec for the station's schema, or a validator in its place; left out: the codecs that were imported. */
  schema: schemaReader,
} as const;

/** `producer.produce` and `memphis.produce`. */
export const produceOptions = {
  /** Without one: the producer's. */
  ackWaitMs: { min: 1, max: DAY_MS },
  headers: texts,
  msgId: text,
  partitionKey: text,
  partition: { min: 1, max: 10_000 },
  /** Resolve when the message is written, not when it is stored. */
  async: off,
  /** Takes the failure of this one, with `async`. Without one: the producer's. */
  onError: callback<OnProduceError>(),
} as const;

/** `producer.produceBatch` and `memphis.produceBatch`. */
export const produceBatchOptions = {
  /** For each message, from when it is sent. Without one: the producer's. */
  ackWaitMs: { min: 1, max: DAY_MS },
  /** Called once for each message: its `headers`, `msgId`, `partitionKey` and `partition`. */
  optionsFor: callback<(message: never, index: number) => unknown>(),
} as const;
