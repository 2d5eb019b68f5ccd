/** How much time an invocation has for work, and what it keeps back for settling. Pure. */

/** What we read of a Lambda context; anything may be missing, as in a test. */
export interface RemainingTime {
  getRemainingTimeInMillis?(): number;
}

/** The time of what has no limit. */
export const NO_LIMIT = Number.POSITIVE_INFINITY;
/** Node fires timers that are longer at once. */
export const LONGEST_TIMER_MS = 2_147_483_647;

/**
 * The time kept back to settle and return: a tenth of what remains, at least a second, at most half of it
 * (AWS's smallest timeout is 1 s; a reserve longer than the whole invocation would forbid all work).
 *
 * @param remainingMs at the start of the invocation
 */
export function defaultReserveMs(remainingMs: number): number {
  return Math.min(Math.max(1000, remainingMs / 10), remainingMs / 2);
}

/**
 * Milliseconds of work left before the reserve begins; `Infinity` where the context tells no time.
 */
export function workTimeMs(context: unknown, reserveMs: number | undefined): number {
  const remaining = remainingTimeMs(context);
  if (remaining === NO_LIMIT) return remaining;
  return remaining - (reserveMs ?? defaultReserveMs(remaining));
}

/** What the context says is left, in milliseconds; `Infinity` where it says nothing. */
export function remainingTimeMs(context: unknown): number {
  // a stand-in of a test may do anything: what is no number of milliseconds is no answer
  try {
    const remaining: unknown = (context as RemainingTime | null | undefined)?.getRemainingTimeInMillis?.();
    return typeof remaining === 'number' && !Number.isNaN(remaining) ? remaining : NO_LIMIT;
  } catch {
    return NO_LIMIT;
  }
}

/** Kept back of the reserve, so that the function returns and says what was not confirmed instead of being cut off. */
const RETURN_MS = 150;

/** When settling has to give up, as a part of `PullOptions`. */
export function settleLimit(remainingMs: number): { readonly settleByMs?: number } {
  return remainingMs === NO_LIMIT ? {} : { settleByMs: Date.now() + remainingMs - RETURN_MS };
}
