/** A broker in memory: both driver ports with nothing outside of this process, on a clock that tests can hold still. */

import type { Batch } from '../model/batch.ts';
import type { Broker, BrokerAdmin, OutgoingMessage, PullOptions, Reader, ReaderOptions } from '../model/broker.ts';
import { MemphisError } from '../model/errors.ts';
import type { StoredMessage } from '../model/message.ts';
import { integer, must } from '../model/option-spec.ts';
import type { Outcome, Settled } from '../model/outcome.ts';
import { choosePartition } from '../model/partition.ts';
import { resolveOptions } from '../model/resolve-options.ts';
import { type StationOptions, toStationSettings } from '../model/station-settings.ts';
import { type Clock, realClock } from './fake-clock.ts';
import { type MemoryDeadLetter, MemoryDeadLetters } from './memory-dead-letters.ts';
import type { MemoryDelivery } from './memory-group.ts';
import { MemoryStation } from './memory-station.ts';

/** A broker in memory, with what tests want to know and do beyond the ports. */
export interface MemoryBroker extends Broker, BrokerAdmin {
  /** Options as those of the client's `createStation`. */
  createStation(name: string, options?: StationOptions): Promise<boolean>;
  /** In the order in which they were set aside. */
  readonly deadLetters: readonly MemoryDeadLetter[];
  /** Messages of a station that a group has neither been handed nor settled, or was handed and has not settled. */
  unsettled(station: string, group: string): number;
  /** As if all who hold messages had died: what they say from now on is lost, their messages come back in time. */
  crash(): void;
  /** Refuses to confirm so many settles from now on, as a broker does whose answer is lost; they have no effect. */
  failSettles(count: number): void;
}

const memoryBrokerOptions = {
  clock: {
    read: (value: unknown) => {
      const clock = value as Partial<Clock> | null;
      const isClock = typeof clock?.now === 'function' && typeof clock.wait === 'function';
      return isClock ? (clock as Clock) : must('a clock, as makeFakeClock makes it');
    },
    fallback: realClock,
  },
  maxPayloadBytes: integer(1, Number.MAX_SAFE_INTEGER, 1_048_576),
} as const;

/**
 * Makes an empty broker in memory. Stations, partitions, de-duplication, groups, redelivery, delays, limits of
 * deliveries and dead letters behave as on a real one; retention is not applied.
 *
 * @param options.clock @default real time
 * @param options.maxPayloadBytes what one message may hold. @default 1 MiB
 * @throws MemphisError `INVALID_OPTION`
 */
export function makeMemoryBroker(options?: {
  readonly clock?: Clock;
  readonly maxPayloadBytes?: number;
}): MemoryBroker {
  const { clock, maxPayloadBytes } = resolveOptions('makeMemoryBroker', memoryBrokerOptions, options);
  const stations = new Map<string, MemoryStation>();
  const deadLetters: MemoryDeadLetter[] = [];
  let lastDeadLetter = 0;
  const faults = { epoch: 0, unconfirmed: 0 };
  let changed = Promise.withResolvers<void>();
  const notify = (): void => {
    changed.resolve();
    changed = Promise.withResolvers<void>();
  };

  const find = (name: string): MemoryStation => {
    const found = stations.get(name);
    if (found !== undefined) return found;
    throw new MemphisError('STATION_NOT_FOUND', `There is no station ${name}; create it first.`, { station: name });
  };

  const create = (name: string, given?: StationOptions): boolean => {
    const settings = toStationSettings(name, given);
    if (settings.tieredStorageEnabled) {
      throw new MemphisError('UNSUPPORTED', 'createStation: there is no tiered storage; leave it off.', {
        option: 'tieredStorageEnabled',
      });
    }
    if (stations.has(name)) return false;
    if (settings.dlsStation !== '') create(settings.dlsStation);
    stations.set(name, new MemoryStation(name, settings));
    return true;
  };

  /** As on a real one: dropped where the station says so, else kept, with a copy in a linked station. */
  const setAside = (letter: Omit<MemoryDeadLetter, 'id' | 'setAsideAt'>): void => {
    const { station, message } = letter;
    const { sendPoisonMsgToDls, dlsStation } = find(station).settings;
    if (!sendPoisonMsgToDls) return;
    const id = ++lastDeadLetter;
    deadLetters.push({ ...letter, id, setAsideAt: new Date(clock.now()) });
    if (dlsStation === '') return;
    create(dlsStation);
    const linked = find(dlsStation);
    const msgId = `dead letter ${id}`;
    const partition = choosePartition(dlsStation, linked.partitions, { msgId }) ?? 1;
    const headers = { ...message.headers, station, type: 'unacked' };
    linked.store({ station: dlsStation, partition, data: message.data, headers, msgId, producerName: '' }, clock.now());
  };

  const check = (message: OutgoingMessage): number => {
    const bytes = sizeOf(message);
    if (bytes <= maxPayloadBytes) return bytes;
    throw new MemphisError(
      'PAYLOAD_TOO_LARGE',
      `The message of ${bytes} bytes, headers included, is larger than the ${maxPayloadBytes} bytes the broker takes.`,
      { station: message.station },
    );
  };

  return {
    kind: 'jetstream',
    deadLetters,
    partitions: async (name) => find(name).partitions,
    checker: async () => check,
    publish: async (message, { onWritten }) => {
      const station = find(message.station);
      check(message);
      onWritten?.();
      const receipt = station.store(message, clock.now());
      notify();
      return receipt;
    },
    reader: (readerOptions) =>
      makeReader(readerOptions, { clock, find, setAside, faults, notify, whenChanged: () => changed.promise }),
    createStation: async (name, given) => create(name, given),
    destroyStation: async (name) => {
      find(name);
      stations.delete(name);
      deadLetters.splice(0, deadLetters.length, ...deadLetters.filter(({ station }) => station !== name));
    },
    describeStation: async (name) => ({
      ...find(name).describe(),
      deadLetters: deadLetters.filter(({ station }) => station === name).length,
    }),
    listStations: async () => [...stations.keys()].sort().map((name) => ({ name, isOurs: true })),
    deadLetterStore: (name) => new MemoryDeadLetters({ clock, letters: deadLetters, find, notify }, name),
    unsettled: (name, group) => {
      const station = find(name);
      return station.partitions
        .map((partition) => {
          const { unread, underWay } = station.position(group, partition).remaining(station.log(partition));
          return unread + underWay;
        })
        .reduce((sum, count) => sum + count, 0);
    },
    crash: () => {
      faults.epoch += 1;
    },
    failSettles: (count) => {
      faults.unconfirmed = count;
    },
  };
}

function sizeOf({ data, headers }: OutgoingMessage): number {
  return Object.entries(headers).reduce(
    (bytes, [name, value]) => bytes + Buffer.byteLength(name) + Buffer.byteLength(value),
    data.length,
  );
}

/** What readers share with their broker. */
interface Shared {
  readonly clock: Clock;
  readonly faults: { epoch: number; unconfirmed: number };
  find(station: string): MemoryStation;
  setAside(letter: Omit<MemoryDeadLetter, 'id' | 'setAsideAt'>): void;
  /** Wakes those who wait for messages. */
  notify(): void;
  whenChanged(): Promise<void>;
}

function makeReader(options: ReaderOptions, shared: Shared): Reader {
  const { station: name, group, ackWaitMs, maxDeliveries } = options;
  const { clock } = shared;
  const setAside = (message: StoredMessage, reason: string): void => {
    shared.setAside({ station: name, group, message, reason });
  };
  const takeDue = (station: MemoryStation, { batchSize, partition }: PullOptions): MemoryDelivery[] => {
    const taken: MemoryDelivery[] = [];
    for (const number of partition === undefined ? station.partitions : [partition]) {
      const position = station.position(group, number);
      const limit = batchSize - taken.length;
      taken.push(
        ...position.take(station.log(number), { limit, nowMs: clock.now(), ackWaitMs, maxDeliveries }, setAside),
      );
    }
    return taken;
  };

  return {
    pull: async (pull) => {
      const station = shared.find(name);
      const untilMs = clock.now() + pull.waitMs;
      let taken = takeDue(station, pull);
      while (taken.length === 0 && clock.now() < untilMs && pull.signal?.aborted !== true) {
        await nextChange(station, group, untilMs, pull.signal, shared);
        taken = takeDue(station, pull);
      }
      return makeBatch(options, station, taken, shared, setAside);
    },
    destroy: async () => shared.find(name).destroyGroup(group),
  };
}

/** Waits until something is stored or comes back, the wait is over, or the signal aborts. */
async function nextChange(
  station: MemoryStation,
  group: string,
  untilMs: number,
  signal: AbortSignal | undefined,
  { clock, whenChanged }: Shared,
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
  { clock, faults, notify }: Shared,
  setAside: (message: StoredMessage, reason: string) => void,
): Batch {
  const epoch = faults.epoch;
  const byMessage = new Map(deliveries.map((delivery) => [delivery.message, delivery]));
  const unconfirmed = (why: string): MemphisError =>
    new MemphisError('SETTLE_UNCONFIRMED', `${why} The message may be delivered again.`, { station: name, group });
  return {
    station: name,
    group,
    maxDeliveries,
    ackWaitMs,
    messages: deliveries.map(({ message }) => message),
    settle: async (message: StoredMessage, outcome: Outcome): Promise<Settled> => {
      const delivery = byMessage.get(message);
      if (delivery === undefined) {
        throw new MemphisError('INVALID_MESSAGE', `Message ${message.id} is not of this batch.`, { station: name });
      }
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
        station.position(group, message.partition).extend(delivery, clock.now() + ackWaitMs);
      }
    },
  };
}
