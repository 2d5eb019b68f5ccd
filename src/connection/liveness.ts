/** When a session is asked whether it still lives, and how long it has to answer (freeze rules: an idle socket may be dead without a sign). */

import { monotonicMs } from './monotonic.ts';
import type { Connection } from './port.ts';

/** Silent for longer than this, it is asked before use. */
export const SILENT_AFTER_MS = 1_000;
/** The least that an answer may take before another session is dialled beside it. */
const LEAST_HEDGE_MS = 8;

/** How long nothing was heard, by the clock that says more: a freeze stops the monotonic one or not, and people set the other. */
export const silentMs = ({ heardAt }: Pick<Connection, 'heardAt'>): number =>
  Math.max(Date.now() - heardAt.wall, monotonicMs() - heardAt.monotonic);

/** An answer that takes longer is late: three times as long as the fastest one so far, where there was one. */
export const hedgeAfterMs = ({ rttMs }: Pick<Connection, 'rttMs'>): number =>
  Math.max(LEAST_HEDGE_MS, Number.isFinite(rttMs) ? 3 * rttMs : 0);
