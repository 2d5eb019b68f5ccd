/** Whether something ends in time, on a machine that may stand still now and then. */

import { setTimeout as sleep } from 'node:timers/promises';

const STEP_MS = 10;
/** So much of the time is counted in steps: what holds up the process holds up these too. */
const IN_STEPS_MS = 300;

/**
 * Waits for the end of something, whichever it is, no longer than so long by the timers of this process: when it is held up as the time
 * runs out, it has the steps that are left all the same.
 */
export async function endsWithin(work: Promise<unknown>, ms: number): Promise<boolean> {
  let hasEnded = false;
  const end = (): void => {
    hasEnded = true;
  };
  work.then(end, end);
  const inSteps = Math.min(ms, IN_STEPS_MS);
  await Promise.race([sleep(ms - inSteps), work.then(end, end)]);
  for (let waited = 0; !hasEnded && waited < inSteps; waited += STEP_MS) await sleep(STEP_MS);
  return hasEnded;
}
