/** Options of functions that produce. */

import { callback, DAY_MS, type GivenOver, off, text } from '../option-spec.ts';
import { schemaReader } from './codec.ts';
import type { OnProduceError } from './produce.ts';

/** What functions that produce share. */
export const producingOptions = {
  /** Where messages go. */
  station: text,
  /** The producer's name, in lower case. Travels with each message. @default 'memphis-serverless' */
  producerName: { fallback: 'memphis-serverless' },
  /** Milliseconds to wait for the broker's confirmation. @default 15000 */
  ackWaitMs: { min: 1, max: DAY_MS, fallback: 15_000 },
  /** Start to dial while the module loads. @default false */
  prefetch: off,
} as const;

/** `withProducer`: these beside those of `connectOptions`. */
export const producerFunctionOptions = {
  ...producingOptions,
  /** Takes the failures of what is produced with `async`; left out: they fail the invocation. */
  onError: callback<OnProduceError>(),
  /** A codec for the station's schema, or a validator in its place; left out: the codecs that were imported. */
  schema: schemaReader,
} as const;

/** What callers give of them. */
export type GivenForProducing = GivenOver<typeof producerFunctionOptions, typeof producingOptions>;
