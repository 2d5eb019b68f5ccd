/** A consumer: batches of one group out of one station. */

import { openLedger } from '../batch/ledger.ts';
import type { Reader } from '../model/broker.ts';
import { MemphisError } from '../model/errors.ts';
import type { Message } from '../model/message.ts';
import { type consumerOptions, fetchOptions, type Given, type Resolved, resolveOptions } from '../model/options.ts';
import { choosePartition } from '../model/partition.ts';
import { checkName } from '../model/station.ts';
import type { Session } from './session.ts';

/** Options of `createConsumer`. */
export type ConsumerOptions = Given<typeof consumerOptions>;
/** Options of one fetch. */
export type FetchOptions = Given<typeof fetchOptions>;

export class Consumer {
  readonly station: string;
  readonly group: string;
  readonly #session: Session;
  readonly #options: Resolved<typeof consumerOptions>;
  #reader: Reader | undefined;
  #isDestroyed = false;

  /** Use `createConsumer`. */
  constructor(session: Session, station: string, options: Resolved<typeof consumerOptions>) {
    if (options.group === undefined) {
      throw new MemphisError('INVALID_OPTION', 'createConsumer: group must be given.', { option: 'group' });
    }
    this.#session = session;
    this.#options = options;
    this.station = checkName('station', station);
    this.group = checkName('group', options.group);
  }

  /**
   * One batch: as soon as something is there, or empty when the wait is over. Settle each message.
   *
   * @throws MemphisError `STATION_NOT_FOUND`, `PARTITION_NOT_FOUND`, `INVALID_OPTION`, `CONNECTION_LOST`, `TIMEOUT`, `CLOSED`
   * @example
   * ```ts
   * for (const message of await consumer.fetch({ batchSize: 10 })) await message.ack();
   * ```
   */
  async fetch<T = unknown>(options?: FetchOptions): Promise<Message<T>[]> {
    if (this.#isDestroyed) throw new MemphisError('CLOSED', 'This consumer was destroyed; create a new one.');
    const given = resolveOptions('fetch', fetchOptions, options);
    const broker = await this.#session.broker();
    const { partition, partitionKey } = given;
    const isChosen = partition !== undefined || partitionKey !== undefined;
    const chosen = isChosen
      ? choosePartition(this.station, await broker.partitions(this.station), { partition, partitionKey })
      : undefined;
    const batch = await this.#open(broker).pull({
      batchSize: given.batchSize ?? this.#options.batchSize,
      waitMs: given.batchMaxWaitMs ?? this.#options.batchMaxWaitMs,
      ...(chosen === undefined ? {} : { partition: chosen }),
    });
    return [...openLedger<T>(batch).messages];
  }

  /** Deletes the group on the broker: its position is gone, messages stay. JetStream knows no members of a group. */
  async destroy(): Promise<void> {
    this.#isDestroyed = true;
    await this.#open(await this.#session.broker()).destroy();
  }

  #open(broker: Awaited<ReturnType<Session['broker']>>): Reader {
    this.#reader ??= broker.reader({
      station: this.station,
      group: this.group,
      ackWaitMs: this.#options.maxAckTimeMs,
      maxDeliveries: this.#options.maxMsgDeliveries,
    });
    return this.#reader;
  }
}
