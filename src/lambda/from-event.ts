/** The pushed source of functions: a batch that a poller has put into the event. */

import { type BatchResult, runBatch } from '../batch/run-batch.ts';
import { openPushedBatch } from '../envelope/pushed-batch.ts';
import type { BatchResponse } from '../envelope/response.ts';
import { workTimeMs } from '../model/deadline.ts';
import { siftBatch } from '../schemas/registry.ts';
import type { Consumption } from './consumption.ts';
import { logFailures } from './log-failures.ts';

/** One invocation. @throws what the handler threw for the whole batch; MemphisError `INVALID_EVENT` */
export async function answerPushed<T, C>({
  event,
  handler,
  context,
  settings,
}: Consumption<T, C>): Promise<BatchResponse> {
  const { batch, response } = openPushedBatch(event);
  // an event says nothing of schemas: what counts is what the function was given
  const sifted = await siftBatch(batch, settings.schema, settings.onInvalid);
  const result: BatchResult = await runBatch(sifted?.batch ?? batch, handler, context, {
    backoff: { baseMs: settings.backoffBaseMs, maxMs: settings.backoffMaxMs },
    workMs: workTimeMs(context, settings.deadlineReserveMs),
  });
  // Nothing would be lost in translation: all messages fail alike, and the error shows in Lambda's own metrics.
  if (result.failedAsWhole) throw result.error;
  logFailures(batch, result);
  if (sifted?.unfit !== undefined) logFailures(batch, await sifted.unfit);
  return response();
}
