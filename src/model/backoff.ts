/** How long to wait before the next try. Pure but for the random number, which can be handed in. */

/** Waits that double from `baseMs` up to `maxMs`. */
export interface Backoff {
  readonly baseMs: number;
  readonly maxMs: number;
}

/**
 * Exponential backoff with equal jitter: half of the wait is fixed, so that a retry is never immediate, the
 * other half is random, so that many do not come back together.
 *
 * @param attempt 1 after the first failure
 * @param random a number from 0 up to 1
 */
export function backoffMs({ baseMs, maxMs }: Backoff, attempt: number, random: () => number = Math.random): number {
  const ceiling = Math.min(maxMs, baseMs * 2 ** Math.min(Math.max(attempt, 1) - 1, 30));
  return Math.round(ceiling / 2 + (ceiling / 2) * random());
}
