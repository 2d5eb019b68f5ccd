/** What to do with a connection that was idle: pure policy (freeze rules: an idle socket may be dead without a sign). */

/** Idle for longer than this: ask before use. */
export const PING_AFTER_MS = 10_000;
/** Idle for longer than this: NAT gateways and load balancers of AWS drop flows at 350 s, so do not even ask. */
export const REPLACE_AFTER_MS = 300_000;
/** How long an idle connection has to answer. */
export const PING_LIMIT_MS = 250;
/** When the answer is later than this, a new session is dialled beside it. */
export const HEDGE_AFTER_MS = 100;

export type Verdict = 'use' | 'ping' | 'replace';

/**
 * @param wallMs since the last use by the wall clock, which a freeze does not stop
 * @param monotonicMs the same by the monotonic clock, which nobody sets
 */
export function judgeIdle(wallMs: number, monotonicMs: number): Verdict {
  const idleMs = Math.max(wallMs, monotonicMs);
  if (idleMs >= REPLACE_AFTER_MS) return 'replace';
  return idleMs >= PING_AFTER_MS ? 'ping' : 'use';
}
