/** A broker in memory: both driver ports with nothing outside of this process, on a clock that tests can hold still. */

import type { BrokerAdmin, OutgoingMessage, WholeBroker } from '../model/broker.ts';
import { REFUSED } from '../model/dead-letter.ts';
import { MemphisError } from '../model/errors.ts';
import { must } from '../model/option-spec.ts';
import { choosePartition } from '../model/partition.ts';
import { resolveOptions } from '../model/resolve-options.ts';
import { type StationOptions, toStationSettings } from '../model/station-settings.ts';
import { type Clock, realClock } from './fake-clock.ts';
import { type MemoryDeadLetter, MemoryDeadLetters } from './memory-dead-letters.ts';
import { makeMemoryReader } from './memory-reader.ts';
import { MemorySchemas } from './memory-schemas.ts';
import { MemoryStation } from './memory-station.ts';

/** A broker in memory, with what tests want to know and do beyond the ports. */
export interface MemoryBroker extends WholeBroker, BrokerAdmin {
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
  maxPayloadBytes: { min: 1, max: Number.MAX_SAFE_INTEGER, fallback: 1_048_576 },
} as const;

/**
 * Makes an empty broker in memory. It keeps the promises of a driver (`brokerContract`): stations, partitions,
 * de-duplication, groups, redelivery, delays, order, limits of deliveries and dead letters behave as on a real one.
 * Retention is not applied, and there are no streams of others to bind to.
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

  const schemas = new MemorySchemas(clock, find);

  const create = (name: string, given?: StationOptions): boolean => {
    const settings = toStationSettings(name, given);
    if (settings.tieredStorageEnabled) {
      throw new MemphisError('UNSUPPORTED', 'createStation: there is no tiered storage; leave it off.', {
        option: 'tieredStorageEnabled',
      });
    }
    if (stations.has(name)) return false;
    if (settings.schemaName !== '') schemas.check(settings.schemaName);
    if (settings.dlsStation !== '') create(settings.dlsStation);
    stations.set(name, new MemoryStation(name, settings));
    if (settings.schemaName !== '') void schemas.attach(settings.schemaName, name);
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

  const describe = (name: string) => {
    const told = find(name).describe();
    return { ...told, settings: { ...told.settings, schemaName: schemas.nameOf(name) } };
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
    plainPartitions: (name) => (schemas.nameOf(name) === '' ? stations.get(name)?.partitions : undefined),
    mayGuess: () => false,
    checker: async () => check,
    publish: async (message, { onWritten }) => {
      const station = find(message.station);
      check(message);
      onWritten?.();
      const { msgId, headers } = message;
      // an id travels as a header too, as the Memphis SDKs have it
      const carried = msgId === undefined ? headers : { ...headers, 'msg-id': msgId };
      const receipt = station.store({ ...message, headers: carried }, clock.now());
      notify();
      return receipt;
    },
    schemas,
    schemaOf: async (name) => {
      find(name);
      return schemas.of(name);
    },
    setAside: async ({ station, partition, data, headers, msgId }, reason) => {
      if (!find(station).settings.sendSchemaFailedMsgToDls) return;
      const id = ++lastDeadLetter;
      const now = new Date(clock.now());
      const carried = msgId === undefined ? headers : { ...headers, 'msg-id': msgId };
      const origin = { id: `${station}$${partition}:0`, station, partition, sequence: 0, deliveryCount: 0 };
      const message = { ...origin, timestamp: now, headers: carried, data };
      deadLetters.push({ id, station, group: REFUSED, message, reason, setAsideAt: now });
    },
    reader: (readerOptions) =>
      makeMemoryReader(readerOptions, {
        clock,
        find,
        schemas,
        setAside,
        faults,
        notify,
        whenChanged: () => changed.promise,
      }),
    createStation: async (name, given) => create(name, given),
    destroyStation: async (name) => {
      await schemas.detach(name);
      stations.delete(name);
      deadLetters.splice(0, deadLetters.length, ...deadLetters.filter(({ station }) => station !== name));
    },
    destroyGroup: async ({ station, group }) => find(station).destroyGroup(group),
    describeStation: async (name) => ({
      ...describe(name),
      deadLetters: deadLetters.filter(({ station }) => station === name).length,
    }),
    listStations: async () => [...stations.keys()].sort().map((name) => ({ name, isOurs: true })),
    deadLetterStore: (name) => new MemoryDeadLetters({ clock, letters: deadLetters, find, notify }, name),
    unsettled: (name, group) => {
      const station = find(name);
      return station.partitions.reduce((sum, partition) => sum + station.unsettled(group, partition), 0);
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
