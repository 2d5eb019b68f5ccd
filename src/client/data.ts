/** The data side of the client: producing and fetching. What functions get; administration is in `client.ts`. */

import type { Receipt } from '../model/broker.ts';
import type { Message } from '../model/message.ts';
import {
  fetchOptions,
  type Given,
  pickOptions,
  producerOptions,
  readerOptions,
  resolveOptions,
} from '../model/options.ts';
import type { Consuming } from './consume.ts';
import { type BindingArgument, Consumer, type ConsumerOptions, withSource } from './consumer.ts';
import type { Payload } from './payload.ts';
import { type ProduceOptions, Producer, type ProducerOptions } from './producer.ts';
import type { Session } from './session.ts';

const fetchMessagesOptions = {
  ...readerOptions,
  partition: fetchOptions.partition,
  partitionKey: fetchOptions.partitionKey,
} as const;

/** Options of `fetchMessages`: those of a consumer, and a partition or a key. */
export type FetchMessagesOptions = Given<typeof fetchMessagesOptions>;

export class DataClient {
  /** Link and driver behind this client; for wrappers of this package. */
  readonly session: Session;
  readonly #producers = new Map<string, Producer>();
  readonly #consumers = new Map<string, Consumer>();
  /** What consumes in the background. */
  readonly #runs = new Set<Consuming>();

  constructor(session: Session) {
    this.session = session;
  }

  /** Whether a connection is up, as far as this side knows. */
  isConnected(): boolean {
    return this.session.isConnected();
  }

  /**
   * A producer for a station.
   *
   * @throws MemphisError `STATION_NOT_FOUND`, `INVALID_NAME`, `INVALID_OPTION`
   */
  async createProducer(station: string, options?: ProducerOptions): Promise<Producer> {
    const producer = new Producer(this.session, station, resolveOptions('createProducer', producerOptions, options));
    const broker = await this.session.broker();
    await broker.partitions(producer.station);
    return producer;
  }

  /** Produces without a producer of one's own; see `Producer.produce`. */
  async produce(station: string, message: Payload, options?: ProduceOptions): Promise<Receipt> {
    let producer = this.#producers.get(station);
    if (producer === undefined) {
      producer = new Producer(this.session, station, resolveOptions('produce', producerOptions, undefined));
      this.#producers.set(station, producer);
    }
    return await producer.produce(message, options);
  }

  /**
   * A consumer of a group. The group's position is made on first use.
   *
   * @param source a station's name; or `{ stream, filterSubject?, group? }` for a stream that exists already, whose
   * settings and whose groups' settings are never changed
   * @throws MemphisError `STATION_NOT_FOUND`, `INVALID_NAME`, `INVALID_OPTION`
   */
  async createConsumer(source: string | BindingArgument, options?: ConsumerOptions): Promise<Consumer> {
    const consumer = new Consumer(this.session, source, options, (run) => this.#watch(run));
    const broker = await this.session.broker();
    if (typeof source === 'string') await broker.partitions(consumer.station);
    return consumer;
  }

  /** One batch without a consumer of one's own; see `Consumer.fetch`. */
  async fetchMessages<T = unknown>(
    source: string | BindingArgument,
    options?: FetchMessagesOptions,
  ): Promise<Message<T>[]> {
    const { station, ...rest } = withSource('fetchMessages', source, options) as Record<string, unknown>;
    const given = resolveOptions('fetchMessages', fetchMessagesOptions, rest);
    const settings = pickOptions(readerOptions, given);
    const key = JSON.stringify([station, settings]);
    let consumer = this.#consumers.get(key);
    if (consumer === undefined) {
      consumer = new Consumer(this.session, source, settings);
      this.#consumers.set(key, consumer);
    }
    return await consumer.fetch<T>({ partition: given.partition, partitionKey: given.partitionKey });
  }

  /** Stops all consumers. */
  protected async stopConsumers(): Promise<void> {
    await Promise.all([...this.#runs].map((run) => run.stop()));
  }

  #watch(run: Consuming): void {
    this.#runs.add(run);
    void run.ended.then(() => this.#runs.delete(run));
  }
}
