/** What `each` tells the pipeline, message by message. Facts only: what they mean is decided in `run-batch.ts`. */

import { hasKey } from '../model/errors.ts';

/** How far one message got. */
export type Progress =
  | { readonly state: 'done' }
  | { readonly state: 'failed'; readonly error: unknown }
  /** User code was still at it when time was up. */
  | { readonly state: 'running' }
  /** No user code has seen it; `behind` is the index of the message of the same key that holds it up. */
  | { readonly state: 'unstarted'; readonly behind?: number };

const brand: unique symbol = Symbol.for('memphis-serverless.report') as never;

/** One entry for each message of the batch, index by index. */
export interface Report {
  readonly [brand]: true;
  readonly progress: readonly Progress[];
}

/** Makes a report, told from any other return value by its brand. */
export function makeReport(progress: readonly Progress[]): Report {
  return { [brand]: true, progress };
}

/** Whether a handler's return value is a report. */
export function isReport(value: unknown): value is Report {
  return typeof value === 'object' && value !== null && hasKey(value, brand);
}
