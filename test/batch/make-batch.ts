/** A batch that writes down what is done to it. */

import type { Batch } from '../../src/model/batch.ts';
import type { StoredMessage } from '../../src/model/message.ts';
import type { Outcome, Settled } from '../../src/model/outcome.ts';

const settledAs = { ack: 'acked', retry: 'retried', deadLetter: 'deadLettered', giveBack: 'givenBack' } as const;

export interface RecordedBatch extends Batch {
  /** In the order in which they were settled. */
  readonly settles: { readonly sequence: number; readonly outcome: Outcome }[];
  /** Sequences of each extension. */
  readonly extensions: (readonly number[])[];
}

export interface MakeBatchOptions {
  readonly ackWaitMs?: number;
  readonly details?: (index: number) => Partial<StoredMessage>;
  readonly settle?: (message: StoredMessage, outcome: Outcome) => Promise<Settled>;
  readonly extend?: (messages: readonly StoredMessage[]) => Promise<void>;
}

export function makeBatch(values: readonly unknown[], options: MakeBatchOptions = {}): RecordedBatch {
  const settles: RecordedBatch['settles'] = [];
  const extensions: (readonly number[])[] = [];
  return {
    settles,
    extensions,
    station: 'orders',
    group: 'billing',
    maxDeliveries: 10,
    ...(options.ackWaitMs !== undefined && { ackWaitMs: options.ackWaitMs }),
    messages: values.map((value, index) => ({
      id: `orders$1:${index + 1}`,
      station: 'orders',
      partition: 1,
      sequence: index + 1,
      deliveryCount: 1,
      timestamp: new Date(0),
      headers: {},
      data: value instanceof Uint8Array ? value : new TextEncoder().encode(JSON.stringify(value)),
      ...options.details?.(index),
    })),
    settle: (message, outcome) => {
      settles.push({ sequence: message.sequence, outcome });
      return options.settle?.(message, outcome) ?? Promise.resolve(settledAs[outcome.action]);
    },
    extend: (messages) => {
      extensions.push(messages.map(({ sequence }) => sequence));
      return options.extend?.(messages) ?? Promise.resolve();
    },
  };
}

/** Actions in the order of the messages. */
export function actionsOf({ messages, settles }: RecordedBatch): readonly (string | undefined)[] {
  return messages.map(({ sequence }) => settles.find((settle) => settle.sequence === sequence)?.outcome.action);
}

/** No deadline; retries after exactly 0 to keep numbers out of tests that are not about them. */
export const anyTime = { backoff: { baseMs: 0, maxMs: 0 }, workMs: Number.POSITIVE_INFINITY } as const;
