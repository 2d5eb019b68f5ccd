/** Readers of a broker in memory: which messages are due, waiting for them, and what settling them does. */

import type { Batch } from '../model/batch.ts';
import type { PullOptions, Reader, ReaderOptions } from '../model/broker.ts';
import { MemphisError } from '../model/errors.ts';
import type { StoredMessage } from '../model/message.ts';
import type { Outcome, Settled } from '../model/outcome.ts';
import type { Clock } from './fake-clock.ts';
import type { MemoryDeadLetter } from './memory-dead-letters.ts';
import type { MemoryDelivery } from './memory-group.ts';
import type { MemorySchemas } from './memory-schemas.ts';
import type { MemoryStation } from './memory-station.ts';

/** What readers share with their broker. */
export interface MemoryReaderContext {
  readonly clock: Clock;
  readonly schemas: MemorySchemas;
  readonly faults: { epoch: number; unconfirmed: number };
  find(station: string): MemoryStation;
  setAside(letter: Omit<MemoryDeadLetter, 'id' | 'setAsideAt'>): void;
  /** Wakes those who wait for messages. */
  notify(): void;
  whenChanged(): Promise<void>;
}

/** A group's access to a station. */
export function makeMemoryReader(options: ReaderOptions, shared: MemoryReaderContext): Reader {
  const { station: name, group, ackWaitMs, maxDeliveries, start, ordered = false, binding } = options;
  const { clock } = shared;
  const setAside = (message: StoredMessage, reason: string): void => {
    shared.setAside({ station: name, group, message, reason });
  };
  const takeDue = (station: MemoryStation, { batchSize, partition }: PullOptions): MemoryDelivery[] => {
    const taken: MemoryDelivery[] = [];
    for (const number of partition === undefined ? station.partitions : [partition]) {
      const position = station.position(group, number, start);
      if (ordered) position.keepOrder();
      const limit = batchSize - taken.length;
      taken.push(
        ...position.take(station.log(number), { limit, nowMs: clock.now(), ackWaitMs, maxDeliveries }, setAside),
      );
    }
    return taken;
  };

  return {
    pull: async (pull) => {
      if (binding !== undefined) {
        throw new MemphisError('UNSUPPORTED', 'The broker in memory has stations only, no streams of others.', {
          group,
        });
      }
      const station = shared.find(name);
      const untilMs = clock.now() + pull.waitMs;
      let taken = takeDue(station, pull);
      while (taken.length === 0 && clock.now() < untilMs && pull.signal?.aborted !== true) {
        await nextChange(station, group, untilMs, pull.signal, shared);
        taken = takeDue(station, pull);
      }
      return makeBatch(options, station, taken, shared, setAside);
    },
  };
}

/** Waits until something is stored or comes back, the wait is over, or the signal aborts. */
async function nextChange(
  station: MemoryStation,
  group: string,
  untilMs: number,
  signal: AbortSignal | undefined,
  { clock, whenChanged }: MemoryReaderContext,
): Promise<void> {
  const dues = station.partitions.map((partition) => station.position(group, partition).nextDueMs);
  const waitMs = Math.max(0, Math.min(untilMs, ...dues) - clock.now());
  const over = new AbortController();
  const ended = signal === undefined ? over.signal : AbortSignal.any([over.signal, signal]);
  await Promise.race([clock.wait(waitMs, ended), whenChanged()]);
  over.abort(); // no timer stays behind
}

function makeBatch(
  { station: name, group, ackWaitMs, maxDeliveries }: ReaderOptions,
  station: MemoryStation,
  deliveries: readonly MemoryDelivery[],
  { clock, faults, notify, schemas }: MemoryReaderContext,
  setAside: (message: StoredMessage, reason: string) => void,
): Batch {
  const epoch = faults.epoch;
  const schema = schemas.of(name);
  const byMessage = new Map(deliveries.map((delivery) => [delivery.message, delivery]));
  const unconfirmed = (why: string): MemphisError =>
    new MemphisError('SETTLE_UNCONFIRMED', `${why} The message may be delivered again.`, { station: name, group });
  return {
    station: name,
    group,
    maxDeliveries,
    ackWaitMs,
    ...(schema !== undefined && { schema }),
    messages: deliveries.map(({ message }) => message),
    settle: async (message: StoredMessage, outcome: Outcome): Promise<Settled> => {
      const delivery = byMessage.get(message);
      if (delivery === undefined) {
        const words = `Message ${message.id} is not open here.`;
        throw new MemphisError('INVALID_MESSAGE', words, { station: name });
      }
      byMessage.delete(message); // once
      if (epoch !== faults.epoch) throw unconfirmed('Who held the message has crashed.');
      if (faults.unconfirmed > 0) {
        faults.unconfirmed -= 1;
        throw unconfirmed('The broker did not answer.');
      }
      const position = station.position(group, message.partition);
      const settled = position.settle(delivery, outcome, { nowMs: clock.now(), maxDeliveries }, setAside);
      notify();
      return settled;
    },
    extend: async (messages) => {
      if (epoch !== faults.epoch) return;
      for (const message of messages) {
        const delivery = byMessage.get(message);
        if (delivery === undefined) continue;
        station.position(group, message.partition).extend(delivery, clock.now());
      }
    },
  };
}
