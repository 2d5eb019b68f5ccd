/** Invocations that are frozen at a point for some time, their connections perhaps cut meanwhile. */

import { setTimeout as sleep } from 'node:timers/promises';
import type { InvokeResult, RunningFunction } from '../../src/testing/index.ts';
import type { TestProxy } from './proxy.ts';
import type { Random } from './random.ts';

/** How connections end: closed by the broker, reset, or carrying nothing any more, with no sign of it. */
const cuts = {
  close: (proxy: TestProxy) => proxy.end(),
  reset: (proxy: TestProxy) => proxy.reset(),
  hole: (proxy: TestProxy) => proxy.swallow(),
};
/** `deaf`: what the function sends arrives, but from then on it hears no answer. */
type Cut = keyof typeof cuts | 'deaf' | undefined;
const all: readonly Cut[] = [undefined, undefined, 'close', 'reset', 'hole', 'deaf'];

export interface Freeze {
  /** `returned`: after the invocation; `anywhere`: at a random time; else where the function stops itself (`stop-at.ts`). */
  readonly point: string;
  readonly ms: number;
  readonly cut: Cut;
}

/** The next of a series: from 50 ms to 3 s, short ones more often; every third without a cut. */
export function drawFreeze(random: Random, points: readonly string[]): Freeze {
  const point = random.pick(points);
  const ms = Math.round(50 * 60 ** random.between(0, 1));
  return { point, ms, cut: random.pick(all) };
}

export const describeFreeze = ({ point, ms, cut }: Freeze): string => `${point} for ${ms} ms, ${cut ?? 'not cut'}`;

/** How often what was frozen: an invocation may be over before it comes to its point. */
export class FreezeCounts {
  readonly #counts = new Map<string, number>();
  total = 0;

  add({ point, cut }: Freeze): void {
    const what = `${point} ${cut ?? 'pause'}`;
    this.#counts.set(what, (this.#counts.get(what) ?? 0) + 1);
    this.total += 1;
  }

  toString(): string {
    const each = [...this.#counts].sort().map(([what, times]) => `${what} ${times}`);
    return `${this.total} freezes: ${each.join(', ')}`;
  }
}

/**
 * Invokes a function with an event beside the point at which it shall stop itself.
 *
 * @param deafAfter what a function sends whose answers get lost when it is cut off so
 */
export async function invokeFrozen(
  owned: RunningFunction,
  proxy: TestProxy,
  event: object,
  freeze: Freeze,
  counts: FreezeCounts,
  deafAfter: string,
): Promise<InvokeResult> {
  const { point, ms, cut } = freeze;
  if (cut === 'deaf') proxy.deafenAfter(deafAfter);
  const written = owned.logs().length;
  const answer = owned.invoke({ ...event, stopAt: point });
  let isOver = false;
  void answer.finally(() => {
    isOver = true;
  });
  const hasStopped = (): boolean =>
    owned.logs().some((line, index) => index >= written && line === `stopping ${point}`);
  const stand = async (): Promise<void> => {
    counts.add(freeze);
    await sleep(ms / 2);
    if (cut !== undefined && cut !== 'deaf') cuts[cut](proxy);
    await sleep(ms / 2);
  };
  if (point === 'anywhere') {
    await sleep(ms % 60);
    if (!isOver) {
      owned.freeze();
      await stand();
      owned.thaw();
    }
  } else if (point !== 'returned') {
    while (!isOver && !hasStopped()) await sleep(2);
    if (!isOver) {
      await stand();
      owned.thaw();
    }
  }
  const result = await answer;
  if (point === 'returned') await stand();
  return result;
}
