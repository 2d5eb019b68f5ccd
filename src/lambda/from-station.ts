/** The pulling source of functions, evaluated on first use: the session that those of this process share. */

import { sharedSession } from '../client/session.ts';
import type { Resolved } from '../model/option-spec.ts';
import { connectOptions } from '../model/options/connect.ts';
import { pickOptions } from '../model/resolve-options.ts';
import type { Consumption } from './consumption.ts';
import { type PullSummary, pullInvocation } from './pull-invocation.ts';

/** One invocation; see {@link pullInvocation}. */
export function pullFromStation<T, C>(consumption: Consumption<T, C>): Promise<PullSummary> {
  const { where, handler, context, settings } = consumption;
  const session = consumption.session ?? sharedSession(pickOptions(connectOptions, settings));
  return pullInvocation({ where, session, handler, context, options: settings });
}

/** Starts to dial ahead of the first invocation. @throws MemphisError `INVALID_OPTION` */
export function warmStation(settings: Resolved<typeof connectOptions>): void {
  sharedSession(pickOptions(connectOptions, settings)).warm();
}
