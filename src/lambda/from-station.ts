/** The pulling source of `withMemphis`, evaluated on first use: the session that functions of this process share. */

import type { BatchHandler } from '../batch/run-batch.ts';
import { sharedSession } from '../client/session.ts';
import { connectOptions, type consumerFunctionOptions, pickOptions, type Resolved } from '../model/options.ts';
import { type PullSummary, pullInvocation } from './pull-invocation.ts';

type Settings = Resolved<typeof connectOptions> & Resolved<typeof consumerFunctionOptions>;

/** One invocation; see {@link pullInvocation}. */
export function pullFromStation<T, C>(
  handler: BatchHandler<T, C>,
  context: C,
  settings: Settings,
): Promise<PullSummary> {
  const session = sharedSession(pickOptions(connectOptions, settings));
  return pullInvocation({ session, handler, context, options: settings });
}

/** Starts to dial ahead of the first invocation. @throws MemphisError `INVALID_OPTION` */
export function warmStation(settings: Settings): void {
  sharedSession(pickOptions(connectOptions, settings)).warm();
}
