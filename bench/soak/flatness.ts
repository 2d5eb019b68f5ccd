/** Whether what a function holds stays the same over time. Pure. */

import { medianOf } from '../support/stats.ts';
import type { Weight } from './functions/weigh.ts';

/** From the first and from the last third of what was seen; the very beginning does not count. */
export interface Flatness {
  readonly samples: number;
  readonly early: Weight;
  readonly late: Weight;
  readonly problems: readonly string[];
}

/** What is cold grows: caches fill, functions are compiled. */
const WARM_UP_SHARE = 0.15;
/** Fewer say nothing. */
const MIN_SAMPLES = 6;

/** How much more there may be at the end: so much, or this share of what was there. */
const limits = {
  rssMb: { more: 24, share: 0.25, words: 'RSS (MB)' },
  heapMb: { more: 3, share: 0.15, words: 'the heap (MB)' },
  // a socket may just be on its way out; what is left behind again and again is soon more than that
  handles: { more: 2, share: 0, words: 'sockets and timers' },
} as const;

/** @param weights in the order in which they were taken */
export function judge(weights: readonly Weight[]): Flatness | undefined {
  const warm = weights.slice(Math.ceil(weights.length * WARM_UP_SHARE));
  if (warm.length < MIN_SAMPLES) return undefined;
  const third = Math.floor(warm.length / 3);
  const [early, late] = [summary(warm.slice(0, third)), summary(warm.slice(-third))];
  const problems = (['rssMb', 'heapMb', 'handles'] as const).flatMap((key) => {
    const { more, share, words } = limits[key];
    const [before, after] = [early[key], late[key]];
    if (after - before <= Math.max(more, before * share)) return [];
    return [`${words} grew from ${before.toFixed(1)} to ${after.toFixed(1)}`];
  });
  return { samples: weights.length, early, late, problems };
}

/** Medians. */
function summary(weights: readonly Weight[]): Weight {
  const of = (key: keyof Weight): number => medianOf(weights.map((weight) => weight[key]));
  return { rssMb: of('rssMb'), heapMb: of('heapMb'), handles: of('handles') };
}
