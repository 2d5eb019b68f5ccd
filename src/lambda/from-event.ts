/** The pushed source of functions: a batch that a poller has put into the event. */

import { type BatchResult, runBatch } from '../batch/run-batch.ts';
import { openPushedBatch } from '../envelope/pushed-batch.ts';
import type { BatchResponse } from '../envelope/response.ts';
import { workTimeMs } from '../model/deadline.ts';
import type { Sifted } from '../model/schema-reader.ts';
import type { Consumption } from './consumption.ts';
import { logFailures } from './log-failures.ts';
import { neverEnds, siftInTime } from './sift-in-time.ts';

/** One invocation. @throws what the handler threw for the whole batch; MemphisError `INVALID_EVENT` */
export async function answerPushed<T, C>({
  event,
  handler,
  context,
  settings,
}: Consumption<T, C>): Promise<BatchResponse> {
  const { batch, response } = openPushedBatch(event);
  // an event says nothing of schemas: what counts is what the function was given
  const workMs = (): number => workTimeMs(context, settings.deadlineReserveMs);
  const sifted = settings.schema === undefined ? { batch } : await siftInTime(batch, settings, workMs());
  const { batch: sound, unfit }: Sifted = sifted ?? { batch };
  const result: BatchResult = await runBatch(sound, sifted === undefined ? neverEnds : handler, context, {
    backoff: { baseMs: settings.backoffBaseMs, maxMs: settings.backoffMaxMs },
    workMs: sifted === undefined ? 1 : workMs(),
  });
  // Nothing would be lost in translation: all messages fail alike, and the error shows in Lambda's own metrics.
  if (result.failedAsWhole && unfit === undefined) throw result.error;
  logFailures(batch, result);
  if (unfit !== undefined) logFailures(batch, await unfit);
  return response();
}
