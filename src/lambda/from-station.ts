/** The pulling source of functions: the session that those of this process share. */

import { type Session, sharedSession } from '../client/session.ts';
import type { Resolved } from '../model/option-spec.ts';
import { connectOptions } from '../model/options/connect.ts';
import { pickOptions } from '../model/resolve-options.ts';
import type { Consumption } from './consumption.ts';
import { type PullSummary, pullInvocation } from './pull-invocation.ts';

/** One invocation; see {@link pullInvocation}. */
export function pullFromStation<T, C>(consumption: Consumption<T, C>): Promise<PullSummary> {
  const { where, handler, context, settings } = consumption;
  const session = consumption.session ?? sessionOf(settings);
  return pullInvocation({ where, session, handler, context, options: settings });
}

/** Starts to dial ahead of the first invocation. @throws MemphisError `INVALID_OPTION` */
export function warmStation(settings: Resolved<typeof connectOptions>): void {
  sessionOf(settings).warm();
}

/** By a function's settings, which are the same object at each invocation. */
const sessions = new WeakMap<object, Session>();

function sessionOf(settings: Resolved<typeof connectOptions>): Session {
  let session = sessions.get(settings);
  if (session?.current !== undefined) return session;
  session = sharedSession(pickOptions(connectOptions, settings)); // one that was closed is shared no more
  sessions.set(settings, session);
  return session;
}
