/** Ending a chain early without leaving others behind: Middy skips their hooks then. */

import type { MiddyRequest } from './request.ts';

/** Powertools for AWS Lambda keeps there what must run before an early end (its docs, "Cleanup on early return"). */
const PREFIX = 'powertools-for-aws.';

/** Calls the clean-ups that middlewares before us have left in `request.internal`. */
export async function cleanUpOthers(request: MiddyRequest): Promise<void> {
  for (const key of Object.keys(request.internal)) {
    const cleanUp = key.startsWith(PREFIX) ? request.internal[key] : undefined;
    if (typeof cleanUp === 'function') await cleanUp(request);
  }
}
