/** Time as the poller sees it, so that tests can hold it still. */

import { setTimeout as sleep } from 'node:timers/promises';

/** What the loop asks of time. */
export interface Clock {
  /** Milliseconds that only ever grow. */
  now(): number;
  /** Resolves after `ms`, or at once when the signal aborts. Never rejects, leaves no timer. */
  wait(ms: number, signal?: AbortSignal): Promise<void>;
}

/** The real one. */
export const realClock: Clock = {
  now: () => performance.now(),
  async wait(ms, signal) {
    if (signal?.aborted) return;
    await sleep(ms, undefined, signal === undefined ? {} : { signal }).catch(() => undefined);
  },
};
