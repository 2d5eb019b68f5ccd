/** A station held in memory: the logs of its partitions, the message ids it remembers, the positions of its groups. */

import { isDeepStrictEqual } from 'node:util';
import type { OutgoingMessage } from '../model/broker.ts';
import { MemphisError } from '../model/errors.ts';
import type { StoredMessage } from '../model/message.ts';
import type { Receipt } from '../model/receipt.ts';
import type { StartPosition } from '../model/source.ts';
import { type StationSettings, toInternalName } from '../model/station.ts';
import type { StationDescription } from '../model/station-description.ts';
import { MemoryPosition } from './memory-group.ts';

interface Partition {
  readonly stream: string;
  readonly log: StoredMessage[];
  readonly known: Map<string, { readonly sequence: number; readonly storedMs: number }>;
  readonly groups: Map<string, MemoryPosition>;
}

/** One station. Keeps all messages, whatever its retention says. */
export class MemoryStation {
  readonly name: string;
  readonly settings: StationSettings;
  readonly #partitions: ReadonlyMap<number, Partition>;

  constructor(name: string, settings: StationSettings) {
    this.name = name;
    this.settings = settings;
    const numbers = Array.from({ length: settings.partitionsNumber }, (_, index) => index + 1);
    this.#partitions = new Map(
      numbers.map((number) => [
        number,
        { stream: `${toInternalName(name)}$${number}`, log: [], known: new Map(), groups: new Map() },
      ]),
    );
  }

  get partitions(): readonly number[] {
    return [...this.#partitions.keys()];
  }

  /** @throws MemphisError `PARTITION_NOT_FOUND` */
  store(outgoing: OutgoingMessage, nowMs: number): Receipt {
    const { partition, msgId, partitionKey, headers } = outgoing;
    const { stream, log, known } = this.#at(partition);
    const first = msgId === undefined ? undefined : known.get(msgId);
    if (first !== undefined && nowMs - first.storedMs < this.settings.idempotencyWindowMs) {
      return { station: this.name, partition, sequence: first.sequence, duplicate: true };
    }
    const sequence = log.length + 1;
    log.push({
      id: `${stream}:${sequence}`,
      station: this.name,
      partition,
      sequence,
      deliveryCount: 0,
      timestamp: new Date(nowMs),
      headers: { ...headers },
      ...(partitionKey !== undefined && { partitionKey }),
      data: new Uint8Array(outgoing.data),
    });
    if (msgId !== undefined) known.set(msgId, { sequence, storedMs: nowMs });
    return { station: this.name, partition, sequence, duplicate: false };
  }

  /** All messages of a partition, oldest first. */
  log(partition: number): readonly StoredMessage[] {
    return this.#at(partition).log;
  }

  /**
   * The position of a group, made on first use.
   *
   * @throws MemphisError `GROUP_CONFLICT` when it began elsewhere
   */
  position(group: string, partition: number, start?: StartPosition): MemoryPosition {
    const { groups, log } = this.#at(partition);
    const known = groups.get(group) ?? new MemoryPosition(start, log.length);
    groups.set(group, known);
    if (start === undefined || isDeepStrictEqual(start, known.start)) return known;
    throw new MemphisError(
      'GROUP_CONFLICT',
      `Group ${group} of ${this.name} exists already and began somewhere else. Use another group, or destroy this one.`,
      { station: this.name, group },
    );
  }

  /** Messages of a partition that a group has not settled, handed out or not. */
  unsettled(group: string, partition: number): number {
    const { groups, log } = this.#at(partition);
    const state = groups.get(group)?.remaining(log);
    return state === undefined ? log.length : state.unread + state.underWay;
  }

  /** As a real broker tells it, but for its dead letters. */
  describe(): Omit<StationDescription, 'deadLetters'> {
    const entries = [...this.#partitions];
    const partitions = entries.map(([partition, { log }]) => {
      const [first, last] = [log[0], log.at(-1)];
      return {
        partition,
        messages: log.length,
        bytes: log.reduce((sum, { data }) => sum + data.length, 0),
        firstSequence: first?.sequence ?? 1,
        lastSequence: last?.sequence ?? 0,
        ...(first !== undefined && { firstAt: first.timestamp }),
        ...(last !== undefined && { lastAt: last.timestamp }),
      };
    });
    const names = new Set(entries.flatMap(([, { groups }]) => [...groups.keys()]));
    const groups = [...names].sort().map((name) => {
      const own = entries.flatMap(([partition, { log, groups }]) => {
        const state = groups.get(name)?.remaining(log);
        if (state === undefined) return [];
        return [{ partition, pending: state.unread, ackPending: state.underWay, redelivered: state.redelivered }];
      });
      const sum = (of: 'pending' | 'ackPending' | 'redelivered') => own.reduce((total, state) => total + state[of], 0);
      const sums = { pending: sum('pending'), ackPending: sum('ackPending'), redelivered: sum('redelivered') };
      return { name, ...sums, comingBack: 0, partitions: own };
    });
    return {
      name: this.name,
      isOurs: true,
      settings: this.settings,
      messages: partitions.reduce((sum, { messages }) => sum + messages, 0),
      bytes: partitions.reduce((sum, { bytes }) => sum + bytes, 0),
      partitions,
      groups,
    };
  }

  destroyGroup(group: string): void {
    for (const { groups } of this.#partitions.values()) groups.delete(group);
  }

  #at(partition: number): Partition {
    const found = this.#partitions.get(partition);
    if (found !== undefined) return found;
    throw new MemphisError('PARTITION_NOT_FOUND', `Station ${this.name} has no partition ${partition}.`, {
      station: this.name,
    });
  }
}
