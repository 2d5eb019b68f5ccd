/** One invocation that consumes, whichever way its messages come: in the event, or pulled from a station. */

import { type BatchResult, runBatch } from '../batch/run-batch.ts';
import { isMemphisEvent } from '../envelope/event.ts';
import { openPushedBatch } from '../envelope/pushed-batch.ts';
import type { BatchResponse } from '../envelope/response.ts';
import { workTimeMs } from '../model/deadline.ts';
import { siftBatch } from '../schemas/registry.ts';
import type { Consumption } from './consumption.ts';
import { logFailures } from './log-failures.ts';
import type { PullSummary } from './pull-invocation.ts';

/**
 * Runs the handler. A pushed batch is answered with the partial batch response, and no broker code is loaded; anything
 * else pulls.
 *
 * @throws what the handler threw for a whole pushed batch; MemphisError `INVALID_EVENT`, and what pulling throws
 */
export async function consume<T, C>(consumption: Consumption<T, C>): Promise<BatchResponse | PullSummary> {
  if (isMemphisEvent(consumption.event)) return await answerPushed(consumption);
  const { pullFromStation } = await import('./from-station.ts');
  return await pullFromStation(consumption);
}

async function answerPushed<T, C>({ event, handler, context, settings }: Consumption<T, C>): Promise<BatchResponse> {
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
