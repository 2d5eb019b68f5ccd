/** Connections of middlewares: kept as those of wrappers are, or as long as `cacheExpiry` says. */

import { keyedSession, type Session } from '../client/session.ts';
import type { Resolved } from '../model/option-spec.ts';
import type { connectOptions } from '../model/options/connect.ts';

/** A day: what `cacheExpiry` says above is a time, not an age (Middy's own rule). */
const DAY_MS = 86_400_000;

/** A session for the time of an invocation. */
export interface Lease {
  readonly session: Session;
  /** Closes it when its time is over and no other invocation uses it. Never rejects. */
  end(): Promise<void>;
}

/** How long a session lives. */
export interface Keeping {
  readonly cacheKey: string | undefined;
  readonly cacheExpiry: number;
}

/** What is known of a session that has an end. */
interface Use {
  readonly openedAtMs: number;
  invocations: number;
}

const uses = new WeakMap<Session, Use>();

/** Starts to dial ahead of the first invocation. @throws MemphisError `INVALID_OPTION` */
export function warmSession(settings: Resolved<typeof connectOptions>, keeping: Keeping): void {
  keyedSession(settings, keyOf(keeping)).warm();
}

/** The session of a configuration. @throws MemphisError `INVALID_OPTION` */
export async function leaseSession(settings: Resolved<typeof connectOptions>, keeping: Keeping): Promise<Lease> {
  const { cacheExpiry } = keeping;
  const key = keyOf(keeping);
  if (cacheExpiry === -1) return { session: keyedSession(settings, key), end: async () => {} };
  let session = keyedSession(settings, key);
  const known = uses.get(session);
  if (known !== undefined && known.invocations === 0 && isOver(known, cacheExpiry)) {
    await session.close(); // which forgets it
    session = keyedSession(settings, key);
  }
  const use = uses.get(session) ?? { openedAtMs: Date.now(), invocations: 0 };
  uses.set(session, use);
  use.invocations++;
  return {
    session,
    end: async () => {
      use.invocations--;
      if (use.invocations === 0 && isOver(use, cacheExpiry)) await session.close().catch(() => {});
    },
  };
}

/** One that has an end is not shared with those that do not expect it. */
function keyOf({ cacheKey, cacheExpiry }: Keeping): string | undefined {
  return cacheExpiry === -1 ? cacheKey : `${cacheKey ?? ''} ${cacheExpiry}`;
}

function isOver({ openedAtMs }: Use, cacheExpiry: number): boolean {
  return Date.now() >= (cacheExpiry > DAY_MS ? cacheExpiry : openedAtMs + cacheExpiry);
}
