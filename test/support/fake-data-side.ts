/** A data side in memory for function wrappers: stores what is produced, or does what a test says instead. */

import type { ProduceOptions } from '../../src/client/dispatch.ts';
import type { ProduceResult } from '../../src/client/send-batch.ts';
import type { DataSide } from '../../src/lambda/outlet.ts';
import type { Receipt } from '../../src/model/receipt.ts';

/** One message that reached a producer. */
export interface Produced {
  readonly station: string;
  readonly name: string;
  readonly message: unknown;
  readonly options: Readonly<Record<string, unknown>>;
}

/** What a test may replace. */
export interface FakeBehaviour {
  readonly onBroker?: (options: { readonly deadlineMs?: number } | undefined) => Promise<unknown>;
  readonly onCreateProducer?: (station: string) => Promise<unknown>;
  /** Comes before storing; may throw, or wait. */
  readonly onProduce?: (produced: Produced) => Promise<unknown>;
}

/** Makes one that knows message ids, so that a repeated one is a duplicate. */
export function makeFakeDataSide(behaviour: FakeBehaviour = {}) {
  const produced: Produced[] = [];
  const ids = new Map<string, Receipt>();
  const counts = { loads: 0, producers: 0, warms: 0 };
  const side: DataSide = {
    session: {
      broker: async (options) => behaviour.onBroker?.(options),
      warm: () => {
        counts.warms++;
      },
    },
    isConnected: () => true,
    fetchMessages: async () => [],
    createProducer: async (station, options) => {
      counts.producers++;
      await behaviour.onCreateProducer?.(station);
      const name = options?.name ?? '';
      const produce = async (message: unknown, given: ProduceOptions, limitMs?: number): Promise<Receipt> => {
        const item = {
          station,
          name,
          message,
          options: { ...given, ...(limitMs === undefined ? {} : { ackWaitMs: limitMs }) },
        };
        await behaviour.onProduce?.(item);
        const known = given?.msgId === undefined ? undefined : ids.get(given.msgId);
        if (known !== undefined) return { ...known, duplicate: true };
        produced.push(item);
        const receipt = { station, partition: 1, sequence: produced.length, duplicate: false };
        if (given?.msgId !== undefined) ids.set(given.msgId, receipt);
        return receipt;
      };
      return {
        station,
        name,
        store: produce,
        begin: async (message, given) => {
          const ended = produce(message, given).then(
            () => {},
            async (error) => {
              if (given.onError === undefined) throw error;
              await given.onError(error, { station, message });
            },
          );
          ended.catch(() => {});
          return { written: { station, partition: 1 }, ended };
        },
        produceBatch: (messages, given, deadlineMs) =>
          Promise.all(
            messages.map(async (message, index): Promise<ProduceResult> => {
              const options = { ...given?.optionsFor?.(message, index), ackWaitMs: given?.ackWaitMs, deadlineMs };
              return produce(message, options).then(
                (receipt) => ({ ok: true, receipt }),
                (error) => ({ ok: false, error }),
              );
            }),
          ),
      };
    },
  };
  const load = async (): Promise<DataSide> => {
    counts.loads++;
    return side;
  };
  return { produced, counts, load };
}
