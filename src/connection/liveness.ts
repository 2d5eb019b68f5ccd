/** When a session is asked whether it still lives, and what is done when the answer is late (freeze rules: an idle socket may be dead without a sign). */

import type { Dialler, Session } from './dialler.ts';
import { monotonicMs } from './monotonic.ts';
import type { Connection } from './port.ts';
import { leftUntil, within } from './within.ts';

/** Silent for longer than this, it is asked before use. */
export const SILENT_AFTER_MS = 1_000;
/** The least that an answer may take before another session is dialled beside it. */
const LEAST_HEDGE_MS = 8;
/** How long it may take where no other may be dialled. */
const PING_LIMIT_MS = 1_000;

/** How long nothing was heard, by the clock that says more: a freeze stops the monotonic one or not, and people set the other. */
export function silentMs({ heardAt }: Pick<Connection, 'heardAt'>): number {
  return Math.max(Date.now() - heardAt.wall, monotonicMs() - heardAt.monotonic);
}

/** An answer that takes longer is late: three times as long as the fastest one so far, where there was one. */
function hedgeAfterMs(rttMs: number): number {
  return Math.max(LEAST_HEDGE_MS, Number.isFinite(rttMs) ? 3 * rttMs : 0);
}

/**
 * Pings. When the answer is late, another session is dialled beside it, and the server that answers first is used: that a
 * connection is accepted says nothing, since what stands between may do that too. Nothing else is on its way on a session
 * that is given up, so a path that is merely slow costs time and no message.
 *
 * @param mayDial else there is only the ping
 * @returns whether it is the old session that is to be used. Never rejects
 */
export async function answers(
  { connection, address }: Session,
  dialler: Dialler,
  deadlineMs: number,
  mayDial: boolean,
): Promise<boolean> {
  const limitMs = mayDial ? leftUntil(deadlineMs) : PING_LIMIT_MS;
  const ping = connection.flush(limitMs).then(
    () => true,
    () => false,
  );
  const early = await within(ping, mayDial ? hedgeAfterMs(connection.rttMs) : limitMs);
  if (early !== undefined || !mayDial) return early === true;
  dialler.servers.failed(address); // others first
  const isOwn = !dialler.isUnderWay;
  const dialled = dialler.dial(deadlineMs, { isAccepted: true });
  const isAlive = await Promise.race([
    ping,
    dialled.then(
      () => false,
      () => ping,
    ),
  ]);
  if (isAlive) {
    dialler.servers.worked(address);
    if (isOwn) dialler.giveUp();
  }
  return isAlive;
}
