/** What one invocation that consumes is made of. */

import type { BatchHandler } from '../batch/run-batch.ts';
import type { Session } from '../client/session.ts';
import type { Resolved } from '../model/option-spec.ts';
import type { connectOptions } from '../model/options/connect.ts';
import type { consumerFunctionOptions } from '../model/options/consumer-function.ts';

/** One invocation, whichever way its messages come. */
export interface Consumption<T, C> {
  /** What was called, for error texts. */
  readonly where: string;
  readonly handler: BatchHandler<T, C>;
  readonly event: unknown;
  readonly context: C;
  readonly settings: Resolved<typeof connectOptions> & Resolved<typeof consumerFunctionOptions>;
  /** Where to pull; left out: through the session that all functions of this process share. */
  readonly session?: Session;
}
