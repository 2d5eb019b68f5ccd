/** One invocation as a batch of the pipeline: messages of one or more pulls, settled where they came from. */

import { runBatch } from '../batch/run-batch.ts';
import type { Batch } from '../model/batch.ts';
import type { StoredMessage } from '../model/message.ts';
import type { Outcome, Settled } from '../model/outcome.ts';
import type { Clock } from './clock.ts';
import type { Encoding } from './encoding.ts';
import type { LambdaPort } from './lambda-client.ts';
import type { Mapping } from './mapping.ts';
import { orAborted } from './or-aborted.ts';
import type { Quiet } from './quiet.ts';
import { handleRemotely, timeIsUp } from './remote-handler.ts';
import type { Held, InvocationEvents } from './run-mapping.ts';

/** What all invocations of a mapping share. */
export interface InvokeSetup {
  readonly mapping: Mapping;
  readonly lambda: LambdaPort;
  readonly clock: Clock;
  readonly quiet: Quiet;
  readonly encoding: Encoding;
  readonly stop: AbortSignal;
  readonly cut: AbortSignal;
}

/** Hands messages to the function and settles each of them. Never rejects: what goes wrong is reported. */
export async function invokeBatch(held: readonly Held[], setup: InvokeSetup, events: InvocationEvents): Promise<void> {
  const { mapping, encoding, cut } = setup;
  const handler = async (messages: readonly StoredMessage[]) => {
    await orAborted(events.turn(), cut, timeIsUp).catch(() => {}); // at the end of time, all at once
    const batchItemFailures = await handleRemotely(messages, {
      ...setup,
      limitBytes: encoding.limitBytes,
      encode: encoding.encode,
      onInvoked: (count, durationMs) => {
        events.tally.invoked += count;
        events.tally.invocations += 1;
        events.onDuration(durationMs);
      },
      onFault: events.onFault,
    });
    return { batchItemFailures };
  };
  try {
    // The handler keeps the time itself: it knows which messages were never sent, the pipeline would not.
    const { error } = await runBatch(joinBatches(held, setup, events), handler, undefined, {
      backoff: { baseMs: mapping.backoffBaseMs, maxMs: mapping.backoffMaxMs },
      workMs: Number.POSITIVE_INFINITY,
    });
    if (error !== undefined) events.onFault(error, false);
  } catch (error) {
    events.onFault(error, false);
  }
}

function joinBatches(
  held: readonly Held[],
  { mapping, quiet, clock }: InvokeSetup,
  { tally }: InvocationEvents,
): Batch {
  const byId = new Map(held.map((item) => [item.message.id, item]));
  const settle = async ({ id }: StoredMessage, outcome: Outcome): Promise<Settled> => {
    const { batch, message } = byId.get(id) as Held;
    const settled = await batch.settle(message, outcome).catch((error: unknown) => {
      // Unconfirmed: at worst it comes back when its time to settle is over.
      quiet.expect(clock.now() + mapping.maxAckTimeMs);
      throw error;
    });
    tally[settled] += 1;
    if (settled === 'retried' || settled === 'givenBack') {
      quiet.expect(clock.now() + ('delayMs' in outcome ? (outcome.delayMs ?? 0) : 0));
    }
    return settled;
  };
  return {
    station: mapping.station,
    group: mapping.group,
    messages: held.map(({ message }) => message),
    maxDeliveries: mapping.maximumRetryAttempts + 1,
    ackWaitMs: mapping.maxAckTimeMs,
    settle,
    async extend(messages) {
      const batches = new Map<Batch, StoredMessage[]>();
      for (const { id } of messages) {
        const { batch, message } = byId.get(id) as Held;
        batches.set(batch, [...(batches.get(batch) ?? []), message]);
      }
      await Promise.all([...batches].map(([batch, some]) => batch.extend(some)));
    },
  };
}
