/** A pushed event as a batch: what settles it is the answer to the poller. */

import type { Batch } from '../model/batch.ts';
import type { StoredMessage } from '../model/message.ts';
import { type Outcome, type Settled, settledAs } from '../model/outcome.ts';
import { fromEvent } from './event.ts';
import { type BatchResponse, toResponse } from './response.ts';

/** A batch that came in an event. */
export interface PushedBatch {
  readonly batch: Batch;
  /** The answer: what was settled so far, in the order of the messages. */
  response(): BatchResponse;
}

/**
 * Opens a pushed event. Settling writes down what the poller shall do and resolves at once.
 *
 * @throws MemphisError `INVALID_EVENT`
 */
export function openPushedBatch(event: unknown): PushedBatch {
  const { station, group, messages } = fromEvent(event);
  const outcomes = new Map<string, Outcome>();
  return {
    batch: {
      station,
      group,
      messages,
      maxDeliveries: Number.POSITIVE_INFINITY, // The poller's broker knows the limit and applies it.
      settle: (message: StoredMessage, outcome: Outcome): Promise<Settled> => {
        outcomes.set(message.id, outcome);
        return Promise.resolve(settledAs[outcome.action]);
      },
      extend: () => Promise.resolve(), // The poller extends the lease for as long as the invocation runs.
    },
    response: () => toResponse(messages.flatMap(({ id }) => pair(id, outcomes.get(id)))),
  };
}

function pair(id: string, outcome: Outcome | undefined): (readonly [string, Outcome])[] {
  return outcome === undefined ? [] : [[id, outcome]];
}
