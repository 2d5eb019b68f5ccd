/** The producing half of the client's data side, for who does nothing else. */

import { MemphisError } from '../model/errors.ts';
import { isList } from '../model/fields.ts';
import { producerOptions } from '../model/options/produce.ts';
import type { Receipt, Written } from '../model/receipt.ts';
import { resolveOptions } from '../model/resolve-options.ts';
import { Dispatch, isAsync, type ProduceOptions } from './dispatch.ts';
import { handFailure } from './hand-failure.ts';
import { drain, Outbox, type Outboxes } from './outbox.ts';
import type { Payload } from './payload.ts';
import {
  type AsyncProduceOptions,
  type AwaitedProduceOptions,
  MultiProducer,
  Producer,
  type ProducerOptions,
} from './producer.ts';
import type { ProduceBatchOptions, ProduceResult } from './send-batch.ts';
import type { Session } from './session.ts';

export class ProducingClient {
  /** @internal Link and driver behind this client. Whoever prints a client does not see it: it knows the password. */
  declare readonly session: Session;
  readonly #producers = new Map<string, Producer>();
  readonly #outboxes: Outboxes = { busy: new Set(), isClosed: false };

  /** @internal Use `connect`. */
  constructor(session: Session) {
    Object.defineProperty(this, 'session', { value: session });
  }

  /** Whether a connection is up, as far as this side knows. */
  isConnected(): boolean {
    return this.session.isConnected();
  }

  /**
   * A producer for a station, or for several: each message goes to all of them.
   *
   * @throws MemphisError `STATION_NOT_FOUND`, `INVALID_NAME`, `INVALID_OPTION`
   * @example
   * ```ts
   * const producer = await memphis.createProducer('orders', { name: 'api', genUniqueSuffix: true });
   * const both = await memphis.createProducer(['orders', 'audit']);
   * ```
   */
  createProducer(station: string, options?: ProducerOptions): Promise<Producer>;
  createProducer(stations: readonly string[], options?: ProducerOptions): Promise<MultiProducer>;
  createProducer(stations: string | readonly string[], options?: ProducerOptions): Promise<Producer | MultiProducer>;
  /** @internal @param isLazy leaves the look-up to the first message */
  createProducer(station: string, options: ProducerOptions | undefined, isLazy: boolean): Promise<Producer>;
  async createProducer(
    stations: string | readonly string[],
    options?: ProducerOptions,
    isLazy = false,
  ): Promise<Producer | MultiProducer> {
    const dispatch = this.#dispatch('createProducer', isList(stations) ? stations : [stations], options);
    if (!isLazy) {
      const broker = await this.session.broker();
      await dispatch.addressing.layout(broker);
      await dispatch.addressing.encoders(broker).catch(() => {}); // a schema that cannot be used is the business of who produces
    }
    return isList(stations) ? new MultiProducer(dispatch) : new Producer(dispatch);
  }

  /** Produces without a producer of one's own; see `Producer.produce`. */
  produce(station: string, message: Payload, options: AsyncProduceOptions): Promise<Written>;
  produce(station: string, message: Payload, options?: AwaitedProduceOptions): Promise<Receipt>;
  produce(station: string, message: Payload, options?: ProduceOptions): Promise<Receipt | Written>;
  produce(station: string, message: Payload, options?: ProduceOptions): Promise<Receipt | Written> {
    try {
      return this.#producerOf(station).produce(message, options);
    } catch (error) {
      return this.#misnamed(station, message, options, error);
    }
  }

  /** Produces many messages without a producer of one's own; see `Producer.produceBatch`. */
  async produceBatch<M extends Payload>(
    station: string,
    messages: readonly M[],
    options?: ProduceBatchOptions<M>,
  ): Promise<ProduceResult[]> {
    return await this.#producerOf(station).produceBatch(messages, options);
  }

  /** Waits for everything under way of all producers; see `Producer.flush`. @throws MemphisError `NOT_ALL_STORED` */
  async flush(): Promise<void> {
    await drain([...this.#outboxes.busy]);
  }

  /** @internal Nothing more may be produced, and what is under way ends. @throws MemphisError `NOT_ALL_STORED` */
  protected async endProducing(): Promise<void> {
    this.#outboxes.isClosed = true;
    await this.flush();
  }

  /** A station's name that is none: a rejection like all others, which may be left alone where it need not be awaited. */
  #misnamed(station: string, message: unknown, options: ProduceOptions | undefined, error: unknown): Promise<never> {
    const failed = Promise.reject(error);
    if (!isAsync(options)) return failed;
    return new Outbox(this.#outboxes.busy).leave(failed, station, (told) =>
      handFailure(told, { ...options, message, station }, producerOptions.name.fallback, options?.onError),
    );
  }

  #producerOf(station: string): Producer {
    let producer = this.#producers.get(station);
    if (producer === undefined) {
      producer = new Producer(this.#dispatch('produce', [station], undefined));
      this.#producers.set(station, producer);
    }
    return producer;
  }

  #dispatch(where: string, stations: readonly string[], options: ProducerOptions | undefined): Dispatch {
    const dispatch = new Dispatch(
      this.session,
      stations,
      resolveOptions(where, producerOptions, options),
      this.#outboxes,
    );
    if (dispatch.stations.length > 0 && new Set(dispatch.stations).size === stations.length) return dispatch;
    throw new MemphisError('INVALID_OPTION', `${where}: name at least one station, none twice.`, {
      option: 'station',
    });
  }
}
