/** One line in the function's log about what failed without failing the invocation; else nobody would see it there. */

import type { BatchResult } from '../batch/run-batch.ts';
import type { Batch } from '../model/batch.ts';
import { isExact } from '../model/outcome.ts';

const NAMED = 3; // The line stays readable; dead letters and the poller's report hold every reason.

type Result = Pick<BatchResult, 'received' | 'failures' | 'error'>;

/** Writes the line, if there is a reason to. Holds ids and error messages, no payloads. */
export function logFailures(batch: Batch, result: Result): void {
  if (result.failures.length > 0 || result.error !== undefined) writeLine(batch, result);
}

function writeLine({ station, group }: Batch, { received, failures, error }: Result): void {
  // what fails as a whole has one reason, which need not stand there three times
  const named = failures
    .slice(0, NAMED)
    .map(({ id, reason }, index, those) => (those[index + 1]?.reason === reason ? id : `${id} (${reason})`));
  const more = failures.length > NAMED ? `, and ${failures.length - NAMED} more` : '';
  // The error goes along for its stack; RetryLater and DeadLetter were meant.
  console.error(
    `memphis-serverless: ${failures.length} of ${received} messages of ${station}/${group} failed: ${named.join(', ')}${more}`,
    ...(error === undefined || isExact(error) ? [] : [error]),
  );
}
