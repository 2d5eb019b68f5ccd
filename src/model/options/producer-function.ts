/** Options of functions that produce. */

import { callback, DAY_MS, off, text } from '../option-spec.ts';
import { schemaReader } from './codec.ts';
import type { OnProduceError } from './produce.ts';

/** What functions that produce share. */
export const producingOptions = {
  station: text,
  /** Shown by tools; lower case. */
  producerName: { fallback: 'memphis-serverless' },
  ackWaitMs: { min: 1, max: DAY_MS, fallback: 15_000 },
  prefetch: off,
} as const;

/** `withProducer`: these beside those of `connectOptions`. */
export const producerFunctionOptions = {
  ...producingOptions,
  /** Takes the failures of what is produced with `async`; left out: the invocation fails. */
  onError: callback<OnProduceError>(),
  /** Of its station: a codec for the schema, or a validator in its place; left out: the codecs that were imported. */
  schema: schemaReader,
} as const;
