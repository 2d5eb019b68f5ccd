/** One invocation that consumes, whichever way its messages come: in the event, or pulled from a station. */

import { isMemphisEvent } from '../envelope/is-event.ts';
import type { BatchResponse } from '../envelope/response.ts';
import { MemphisError } from '../model/errors.ts';
import type { Message } from '../model/message.ts';
import { withoutDriver } from '../model/without-driver.ts';
import type { Consumption } from './consumption.ts';
import { answerPushed } from './from-event.ts';
import { pullFromStation } from './from-station.ts';
import type { PullSummary } from './pull-invocation.ts';

/**
 * Runs the handler. A pushed batch is answered with the partial batch response, and no broker code runs; anything
 * else pulls.
 *
 * @throws what the handler threw for a whole pushed batch; MemphisError `INVALID_EVENT`, `UNSUPPORTED` without a driver to pull with, and what pulling throws
 */
export function consume<T, C>(consumption: Consumption<T, C>): Promise<BatchResponse | PullSummary> {
  const { event } = consumption;
  // what one wrapper hands to another: pulling for it would leave these messages unseen, and have them acked
  if ((event as readonly Partial<Message>[] | undefined)?.[0]?.ack) throw isWrapped(consumption);
  if (isMemphisEvent(event)) return answerPushed(consumption);
  // in these words: a bundler that is told so leaves out all that connects (docs/cold-start.md)
  if (process.env.MEMPHIS_DRIVER === 'none') throw withoutDriver(consumption.where);
  else return pullFromStation(consumption);
}

function isWrapped({ where }: { readonly where: string }): MemphisError {
  return new MemphisError('INVALID_EVENT', `${where}: the event is a list of messages: it is wrapped twice.`);
}
