/** A producer: messages into one station, each confirmed. */

import type { Broker, Receipt } from '../model/broker.ts';
import { MemphisError } from '../model/errors.ts';
import { type Given, produceOptions, type producerOptions, type Resolved, resolveOptions } from '../model/options.ts';
import { choosePartition } from '../model/partition.ts';
import { checkName } from '../model/station.ts';
import { type Payload, toBytes } from './payload.ts';
import type { Session } from './session.ts';

/** Options of one produce. */
export type ProduceOptions = Given<typeof produceOptions>;
/** Options of `createProducer`. */
export type ProducerOptions = Given<typeof producerOptions>;

export class Producer {
  readonly station: string;
  readonly name: string;
  readonly #session: Session;
  readonly #ackWaitMs: number;
  #turn = 0;
  #isDestroyed = false;

  /** Use `createProducer`. */
  constructor(session: Session, station: string, options: Resolved<typeof producerOptions>) {
    this.#session = session;
    this.station = checkName('station', station);
    this.name = checkName('producer', options.name);
    this.#ackWaitMs = options.ackWaitMs;
  }

  /**
   * Stores one message and resolves when the broker has confirmed it.
   *
   * @param message bytes and text as they are, objects as JSON
   * @throws MemphisError `STATION_NOT_FOUND`, `PARTITION_NOT_FOUND`, `INVALID_MESSAGE`, `INVALID_OPTION`,
   * `PAYLOAD_TOO_LARGE`, `STORAGE_FULL`, `TIMEOUT`, `CONNECTION_LOST`, `CLOSED`
   * @example
   * ```ts
   * const receipt = await producer.produce({ id: 1 }, { msgId: '1', partitionKey: 'customer-7' });
   * ```
   */
  async produce(message: Payload, options?: ProduceOptions): Promise<Receipt> {
    if (this.#isDestroyed) throw new MemphisError('CLOSED', `Producer ${this.name} was destroyed; create a new one.`);
    const { ackWaitMs, headers, msgId, partitionKey, partition } = resolveOptions('produce', produceOptions, options);
    if (msgId !== undefined && msgId.trim() === '') {
      throw new MemphisError('INVALID_OPTION', 'produce: msgId must not be blank.', { option: 'msgId' });
    }
    const data = toBytes(message);
    const broker = await this.#session.broker();
    const partitions = await broker.partitions(this.station);
    const chosen = choosePartition(this.station, partitions, { partition, partitionKey, msgId });
    return await this.#publish(broker, ackWaitMs ?? this.#ackWaitMs, {
      data,
      headers: headers ?? {},
      partition: chosen ?? partitions[this.#turn++ % partitions.length] ?? 1,
      ...(msgId === undefined ? {} : { msgId }),
      ...(partitionKey === undefined ? {} : { partitionKey }),
    });
  }

  /** Ends this producer. The station and its messages stay. */
  async destroy(): Promise<void> {
    this.#isDestroyed = true;
  }

  #publish(
    broker: Broker,
    timeoutMs: number,
    message: Omit<Parameters<Broker['publish']>[0], 'station' | 'producerName'>,
  ): Promise<Receipt> {
    return broker.publish({ ...message, station: this.station, producerName: this.name }, { timeoutMs });
  }
}
