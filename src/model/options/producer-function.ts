/** Options of functions that produce. */

import { callback, DAY_MS, flag, integer, text } from '../option-spec.ts';
import { schemaReader } from './codec.ts';
import type { OnProduceError } from './produce.ts';

/** What functions that produce share. */
export const producingOptions = {
  station: text<undefined>(undefined),
  /** Shown by tools; lower case. */
  producerName: text('memphis-serverless'),
  ackWaitMs: integer(1, DAY_MS, 15_000),
  prefetch: flag(false),
} as const;

/** `withProducer`: these beside those of `connectOptions`. */
export const producerFunctionOptions = {
  ...producingOptions,
  /** Takes the failures of what is produced with `async`; left out: the invocation fails. */
  onError: callback<OnProduceError>(),
  /** Of its station: a codec for the schema, or a validator in its place; left out: the codecs that were imported. */
  schema: schemaReader,
} as const;
