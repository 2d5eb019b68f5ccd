/** Options of consumers. */

import { callback, DAY_MS, off, type ReadSpec, text } from '../option-spec.ts';

/** `createConsumer`: these beside those of `readerOptions`. */
export const consumerOptions = {
  /** The group where none is given, as in the Memphis SDKs. */
  name: text,
  /** Makes the name unlike any other. @default false */
  genUniqueSuffix: off,
  /** For `consume` and `for await`: the least milliseconds between two empty fetches. @default 1000 */
  pullIntervalMs: { min: 0, max: DAY_MS, fallback: 1_000 },
  /** For `consume`: told what the handler and fetches throw; left out: a warning of the process. */
  onError: callback<(error: unknown) => void>(),
} as const;

/** `consumer.consume`. */
export const consumeOptions = {
  /** Handed to the handler as its second argument: anything. */
  context: { read: (value: unknown) => value, fallback: undefined } as ReadSpec<unknown>,
} as const;
