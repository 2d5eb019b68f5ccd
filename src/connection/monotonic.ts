/**
 * The clock that nobody sets. Not `performance.now()`: its first use loads a module of Node that costs a cold start more
 * than a millisecond.
 */

/** Milliseconds since some moment, with a fraction. */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
