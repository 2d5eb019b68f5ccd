/** One invocation that consumes, whichever way its messages come: in the event, or pulled from a station. */

import { isMemphisEvent } from '../envelope/is-event.ts';
import type { BatchResponse } from '../envelope/response.ts';
import type { Consumption } from './consumption.ts';
import type { PullSummary } from './pull-invocation.ts';

/** Evaluated when the first event of its kind comes; an import that is repeated would be resolved again each time. */
let pushed: typeof import('./from-event.ts') | undefined;
let pulled: typeof import('./from-station.ts') | undefined;

/**
 * Runs the handler. A pushed batch is answered with the partial batch response, and no broker code is loaded; anything
 * else pulls.
 *
 * @throws what the handler threw for a whole pushed batch; MemphisError `INVALID_EVENT`, and what pulling throws
 */
export async function consume<T, C>(consumption: Consumption<T, C>): Promise<BatchResponse | PullSummary> {
  if (isMemphisEvent(consumption.event)) {
    pushed ??= await import('./from-event.ts');
    return await pushed.answerPushed(consumption);
  }
  pulled ??= await import('./from-station.ts');
  return await pulled.pullFromStation(consumption);
}
