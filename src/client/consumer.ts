/** A consumer: messages of one group out of one station, batch by batch or in the background. */

import type { ReaderOptions } from '../model/broker.ts';
import { MemphisError } from '../model/errors.ts';
import type { Message } from '../model/message.ts';
import type { Given, Resolved } from '../model/option-spec.ts';
import { consumeOptions, consumerOptions } from '../model/options/consume.ts';
import { fetchOptions, readerOptions } from '../model/options/read.ts';
import { checkOptions, resolveOptions } from '../model/resolve-options.ts';
import { type ConsumeHandler, Consuming, iterate } from './consume.ts';
import { type BindingArgument, Fetching, type FetchOptions, withSource } from './fetching.ts';
import type { Session } from './session.ts';
import { uniqueName } from './unique-name.ts';

const optionTable = { ...readerOptions, ...consumerOptions };

/** Options of `createConsumer`. */
export interface ConsumerOptions extends Given<typeof readerOptions>, Given<typeof consumerOptions> {}

/** Options of {@link Consumer.consume}. */
export interface ConsumeOptions<C> {
  /** Handed to the handler as its second argument. */
  readonly context?: C;
}

/** What a consumer has of its client. */
export interface ConsumerOwner {
  /** Told of each run, so that it can be ended. */
  onRun(run: Consuming): void;
  destroyGroup(options: ReaderOptions): Promise<void>;
}

/**
 * Reads one station, or a stream of others, for one group: batch by batch, in the background, or one by one.
 *
 * @typeParam Value what `message.value()` is, where `fetch` and `consume` do not say otherwise
 */
export class Consumer<Value = unknown> {
  /** Station; of a binding the stream. */
  readonly station: string;
  readonly group: string;
  readonly #options: Resolved<typeof optionTable>;
  readonly #fetching: Fetching;
  readonly #owner: ConsumerOwner;
  #consuming: Consuming | undefined;
  readonly #destroyed = new AbortController();
  /** Fetches under way: one that waits while its group goes would make it anew. */
  readonly #fetches = new Set<Promise<unknown>>();

  /** @internal Use `createConsumer`. */
  constructor(
    session: Session,
    source: string | BindingArgument,
    options: ConsumerOptions | undefined,
    owner: ConsumerOwner,
  ) {
    const where = 'createConsumer';
    const { station, ...rest } = withSource(where, source, options);
    const given = resolveOptions(where, optionTable, rest);
    const name = given.name === undefined || !given.genUniqueSuffix ? given.name : uniqueName(given.name);
    this.#options = given;
    this.#fetching = new Fetching(where, session, { ...given, station: station as string, group: given.group ?? name });
    this.#owner = owner;
    this.station = this.#fetching.station;
    this.group = this.#fetching.group;
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
  async fetch<T = Value>(options?: FetchOptions): Promise<Message<T>[]> {
    const given = resolveOptions('fetch', fetchOptions, options);
    this.#refuseDestroyed();
    const fetching = this.#fetching.fetch<T>(given, { signal: this.#destroyed.signal });
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
  consume<T = Value, C = unknown>(handler: ConsumeHandler<T, C>, options?: ConsumeOptions<C>): void {
    this.#refuseDestroyed();
    if (typeof handler !== 'function') {
      throw new MemphisError('INVALID_OPTION', 'consume: the handler must be a function.', { option: 'handler' });
    }
    const { context } = checkOptions('consume', consumeOptions, options);
    this.#begin().run(handler, context as C);
  }

  /** Message after message, until {@link Consumer.stop} or `break`; what was fetched and not handed out then is given back. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Message<Value>, void, void> {
    this.#refuseDestroyed();
    yield* iterate<Value>(this.#begin());
  }

  /**
   * Ends `consume` or `for await`. Resolves when the handler at work is done and nothing is under way any more; called by
   * the handler, or in the body of the loop, it does not wait for these. What waits for a broker that cannot be reached is given
   * up after 2 s.
   */
  async stop(): Promise<void> {
    await this.#consuming?.stop();
  }

  /** Stops, and deletes the group on the broker: its position is gone, messages stay. JetStream knows no members of a group. */
  async destroy(): Promise<void> {
    this.#destroyed.abort();
    await this.stop();
    await Promise.allSettled(this.#fetches);
    await this.#owner.destroyGroup(this.#fetching.reading);
  }

  #begin(): Consuming {
    if (this.#consuming?.isOver === false) {
      throw new MemphisError('INVALID_OPTION', 'This consumer is consuming already; stop it first.', {
        option: 'handler',
      });
    }
    const { batchSize, batchMaxWaitMs, pullIntervalMs, onError } = this.#options;
    this.#consuming = new Consuming({
      pull: (signal) => this.#fetching.pull({ batchSize, waitMs: batchMaxWaitMs, signal }),
      pullIntervalMs,
      onError,
    });
    this.#owner.onRun(this.#consuming);
    return this.#consuming;
  }

  #refuseDestroyed(): void {
    if (this.#destroyed.signal.aborted)
      throw new MemphisError('CLOSED', 'This consumer was destroyed; create a new one.');
  }
}
