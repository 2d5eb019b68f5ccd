/** Waiting for so long, or for something no longer than so long. */

import { LONGEST_TIMER_MS } from '../model/deadline.ts';

export function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** What a promise resolves to, or nothing when it takes longer. Leaves no timer behind. */
export async function within<T>(promise: Promise<T>, ms: number): Promise<T | undefined> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, Math.max(0, Math.min(ms, LONGEST_TIMER_MS)), undefined);
  });
  return await Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/** What is left until a wall-clock time, as a limit of time: at least a millisecond. */
export function leftUntil(deadlineMs: number): number {
  return Math.max(1, deadlineMs - Date.now());
}
