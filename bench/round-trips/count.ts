/** Round trips as a whole number that does not depend on how busy the machine is. */

import type { Role, Runner } from './measure.ts';
import type { Variant } from './variants.ts';

/**
 * One way. A round trip takes so much longer than everything that is computed meanwhile that the time divided by it tells
 * their number, also where the machine is crowded: never less than there are, and more only where computing alone took one.
 */
const DELAY_MS = 200;
const TRIES = 4;

export interface Counted {
  /** To the first batch of a consumer. */
  readonly first: number;
  /** To the end of the invocation. */
  readonly job: number;
}

/**
 * Counts; what is more than expected is measured again, since a busy machine only adds.
 *
 * @param expected what is good enough to stop
 */
export async function countRoundTrips(
  runner: Runner,
  variant: Variant,
  role: Role,
  expected: Counted,
): Promise<Counted> {
  const best = { first: Number.POSITIVE_INFINITY, job: Number.POSITIVE_INFINITY };
  for (let tries = 0; tries < TRIES && (best.first > expected.first || best.job > expected.job); tries++) {
    const { firstMs, jobMs } = await runner.run(variant, role, DELAY_MS);
    best.first = Math.min(best.first, Math.floor(firstMs / (2 * DELAY_MS)));
    best.job = Math.min(best.job, Math.floor(jobMs / (2 * DELAY_MS)));
  }
  return best;
}
