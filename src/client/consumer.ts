/** A consumer: messages of one group out of one station, batch by batch or in the background. */

import { Ledger } from '../batch/ledger.ts';
import type { Batch } from '../model/batch.ts';
import type { PullOptions, Reader } from '../model/broker.ts';
import { MemphisError } from '../model/errors.ts';
import { readFields } from '../model/fields.ts';
import type { Message } from '../model/message.ts';
import type { Given, Resolved } from '../model/option-spec.ts';
import { consumeOptions, consumerOptions } from '../model/options/consume.ts';
import { fetchOptions, readerOptions } from '../model/options/read.ts';
import { choosePartition } from '../model/partition.ts';
import { checkOptions, resolveOptions } from '../model/resolve-options.ts';
import { resolveSource, type Source, type StartPosition, toStart } from '../model/source.ts';
import { checkName } from '../model/station.ts';
import { siftBatch } from '../schemas/registry.ts';
import { type ConsumeHandler, Consuming, iterate } from './consume.ts';
import type { Session } from './session.ts';
import { uniqueName } from './unique-name.ts';

/** Options of one fetch. */
export type FetchOptions = Given<typeof fetchOptions>;
/** A stream that exists already, in place of a station's name; the group may stand here or among the options. */
export type BindingArgument = { readonly stream: string; readonly filterSubject?: string; readonly group?: string };

const optionTable = { ...readerOptions, ...consumerOptions };

/** Options of `createConsumer`. */
export type ConsumerOptions = Given<typeof optionTable>;

/** Options of {@link Consumer.consume}. */
export interface ConsumeOptions<C> {
  /** Handed to the handler as its second argument. */
  readonly context?: C;
}

/** A station's name or a binding, together with options: one object for the tables. */
export function withSource(where: string, source: unknown, given: unknown): Readonly<Record<string, unknown>> {
  const refuse = (option: string, why: string): never => {
    throw new MemphisError('INVALID_OPTION', `${where}: ${why}.`, { option });
  };
  const options = readFields(where, given);
  if (typeof source === 'string') {
    return options.station === undefined
      ? { ...options, station: source }
      : refuse('station', 'the station is named twice, as first argument and as an option');
  }
  if (typeof source !== 'object' || source === null) {
    return refuse('station', "the first argument must be a station's name, or { stream, ... }");
  }
  const fields = readFields(where, source);
  const { station, group } = fields;
  if (station !== undefined) checkName('station', station);
  if (options.group !== undefined && group !== undefined && options.group !== group) {
    refuse('group', 'two different groups are given');
  }
  return { ...options, ...fields };
}

export class Consumer {
  /** Station; of a binding the stream. */
  readonly station: string;
  readonly group: string;
  readonly #session: Session;
  readonly #source: Source;
  readonly #options: Resolved<typeof optionTable>;
  readonly #start: StartPosition | undefined;
  readonly #onRun: (run: Consuming) => void;
  #consuming: Consuming | undefined;
  readonly #destroyed = new AbortController();
  /** Fetches under way: one that waits while its group goes would make it anew. */
  readonly #fetches = new Set<Promise<unknown>>();

  /** Use `createConsumer`. */
  constructor(
    session: Session,
    source: string | BindingArgument,
    options?: ConsumerOptions,
    onRun: (run: Consuming) => void = () => {},
  ) {
    const where = 'createConsumer';
    const { station, ...rest } = withSource(where, source, options);
    const given = resolveOptions(where, optionTable, rest);
    const name = given.name === undefined || !given.genUniqueSuffix ? given.name : uniqueName(given.name);
    this.#options = given;
    this.#source = resolveSource(where, { ...given, station: station as string, group: given.group ?? name });
    this.#start = toStart(where, given.startConsumeFromSequence, given.lastMessages);
    this.#session = session;
    this.#onRun = onRun;
    this.station = this.#source.station;
    this.group = this.#source.group;
  }

  /**
   * One batch: as soon as something is there, or empty when the wait is over. Settle each message.
   *
   * @throws MemphisError `STATION_NOT_FOUND`, `GROUP_CONFLICT`, `PARTITION_NOT_FOUND`, `INVALID_OPTION`,
   * `CONNECTION_LOST`, `TIMEOUT`, `CLOSED`
   * @example
   * ```ts
   * for (const message of await consumer.fetch({ batchSize: 10 })) await message.ack();
   * ```
   */
  async fetch<T = unknown>(options?: FetchOptions): Promise<Message<T>[]> {
    const given = resolveOptions('fetch', fetchOptions, options);
    this.#refuseDestroyed();
    const fetching = this.#fetch<T>(given);
    this.#fetches.add(fetching);
    try {
      return await fetching;
    } finally {
      this.#fetches.delete(fetching);
    }
  }

  /**
   * Hands batch after batch to a handler, in the background, until {@link Consumer.stop}. The handler settles each
   * message; while it runs, the time to settle is extended. What it throws, and what fetching throws, goes to `onError`
   * (left out: a warning of the process); after trouble, fetching goes on. Messages that a handler leaves unsettled are
   * delivered again when their time is over.
   *
   * @param handler gets one batch; the next one is fetched when it has ended
   * @throws MemphisError `INVALID_OPTION` without a handler or while one is consuming already, `CLOSED`
   * @example
   * ```ts
   * consumer.consume(async (messages) => { for (const message of messages) { await bill(message.json()); await message.ack(); } });
   * ```
   */
  consume<T = unknown, C = unknown>(handler: ConsumeHandler<T, C>, options?: ConsumeOptions<C>): void {
    this.#refuseDestroyed();
    if (typeof handler !== 'function') {
      throw new MemphisError('INVALID_OPTION', 'consume: the handler must be a function.', { option: 'handler' });
    }
    const { context } = checkOptions('consume', consumeOptions, options);
    this.#begin().run(handler, context as C);
  }

  /** Message after message, until {@link Consumer.stop} or `break`; what was fetched and not handed out then is given back. */
  async *[Symbol.asyncIterator]<T = unknown>(): AsyncGenerator<Message<T>, void, void> {
    this.#refuseDestroyed();
    yield* iterate<T>(this.#begin());
  }

  /**
   * Ends `consume` or `for await`. Resolves when the handler at work is done and nothing is under way any more; called by
   * the handler, or in the body of the loop, it does not wait for these.
   */
  async stop(): Promise<void> {
    await this.#consuming?.stop();
  }

  /** Stops, and deletes the group on the broker: its position is gone, messages stay. JetStream knows no members of a group. */
  async destroy(): Promise<void> {
    this.#destroyed.abort();
    await this.stop();
    await Promise.allSettled(this.#fetches);
    await (await this.#reader()).destroy();
  }

  async #fetch<T>({ partition, partitionKey, ...given }: Resolved<typeof fetchOptions>): Promise<Message<T>[]> {
    const isChosen = partition !== undefined || partitionKey !== undefined;
    const chosen = isChosen ? await this.#choose(partition, partitionKey) : undefined;
    const batch = await this.#pull({
      batchSize: given.batchSize ?? this.#options.batchSize,
      waitMs: given.batchMaxWaitMs ?? this.#options.batchMaxWaitMs,
      signal: this.#destroyed.signal,
      ...(chosen === undefined ? {} : { partition: chosen }),
    });
    return [...new Ledger<T>(batch).messages];
  }

  #begin(): Consuming {
    if (this.#consuming?.isOver === false) {
      throw new MemphisError('INVALID_OPTION', 'This consumer is consuming already; stop it first.', {
        option: 'handler',
      });
    }
    const { batchSize, batchMaxWaitMs, pullIntervalMs, onError } = this.#options;
    this.#consuming = new Consuming({
      pull: (signal) => this.#pull({ batchSize, waitMs: batchMaxWaitMs, signal }),
      pullIntervalMs,
      onError,
    });
    this.#onRun(this.#consuming);
    return this.#consuming;
  }

  #refuseDestroyed(): void {
    if (this.#destroyed.signal.aborted)
      throw new MemphisError('CLOSED', 'This consumer was destroyed; create a new one.');
  }

  async #choose(partition: number | undefined, partitionKey: string | undefined): Promise<number | undefined> {
    if (this.#source.binding !== undefined) {
      throw new MemphisError('INVALID_OPTION', 'A stream that is bound to has no partitions to choose from.', {
        option: partition === undefined ? 'partitionKey' : 'partition',
      });
    }
    const broker = await this.#session.broker();
    return choosePartition(this.station, await broker.partitions(this.station), { partition, partitionKey });
  }

  /** Without what does not fit the station's schema; of nothing but that, an empty batch would say that there is nothing. */
  async #pull(options: PullOptions): Promise<Batch> {
    const { schema, onInvalid } = this.#options;
    const waitUntilMs = Date.now() + options.waitMs;
    for (;;) {
      const waitMs = Math.max(0, waitUntilMs - Date.now());
      const pulled = await (await this.#reader()).pull({ ...options, waitMs });
      const sifted = await siftBatch(pulled, schema, onInvalid);
      if (sifted === undefined) return pulled;
      await sifted.unfit?.catch(() => {}); // told on the channel; what is not settled comes again
      if (sifted.batch.messages.length > 0 || pulled.messages.length === 0 || options.signal?.aborted) {
        return sifted.batch;
      }
    }
  }

  /** Asked each time: the broker behind a session may be another one after a failure. */
  async #reader(): Promise<Reader> {
    const broker = await this.#session.broker();
    return broker.reader({
      ...this.#source,
      ackWaitMs: this.#options.maxAckTimeMs,
      maxDeliveries: this.#options.maxMsgDeliveries,
      ordered: this.#options.ordered,
      ...(this.#start === undefined ? {} : { start: this.#start }),
    });
  }
}
