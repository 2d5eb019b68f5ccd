/** Fetching from one group of one station, or of a stream of others: what consumers and `fetchMessages` have in common. */

import { Ledger } from '../batch/ledger.ts';
import { readersOf } from '../brokers/readers.ts';
import { leftUntil } from '../connection/within.ts';
import type { Batch } from '../model/batch.ts';
import type { Broker, PullOptions, Reader, ReaderOptions } from '../model/broker.ts';
import { NO_LIMIT } from '../model/deadline.ts';
import { MemphisError } from '../model/errors.ts';
import { readFields } from '../model/fields.ts';
import type { Message } from '../model/message.ts';
import type { Given, Resolved } from '../model/option-spec.ts';
import type { fetchOptions, readerOptions } from '../model/options/read.ts';
import { choosePartition } from '../model/partition.ts';
import { type GivenSource, resolveSource, toStart } from '../model/source.ts';
import { checkName } from '../model/station.ts';
import { siftBatch } from '../schemas/registry.ts';
import type { Session } from './session.ts';

/** Options of one fetch. */
export interface FetchOptions extends Given<typeof fetchOptions> {}
/** A stream that exists already, in place of a station's name; the group may stand here or among the options. */
export type BindingArgument = { readonly stream: string; readonly filterSubject?: string; readonly group?: string };

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

/** What else ends a fetch: a signal its wait, and a wall-clock time all of it, settling included. */
export type FetchLimit = Pick<PullOptions, 'signal' | 'settleByMs'>;

export class Fetching {
  /** Station; of a binding the stream. */
  readonly station: string;
  readonly group: string;
  readonly #session: Session;
  readonly #options: Resolved<typeof readerOptions>;
  readonly #reading: ReaderOptions;

  /**
   * @param where what was called, for error texts
   * @throws MemphisError `INVALID_OPTION`, `INVALID_NAME`
   */
  constructor(
    where: string,
    session: Session,
    options: Omit<Resolved<typeof readerOptions>, 'group'> & Pick<GivenSource, 'station' | 'group'>,
  ) {
    const start = toStart(where, options.startConsumeFromSequence, options.lastMessages);
    this.#session = session;
    this.#options = { ...options, group: options.group };
    this.#reading = {
      ...resolveSource(where, options),
      ackWaitMs: options.maxAckTimeMs,
      maxDeliveries: options.maxMsgDeliveries,
      ordered: options.ordered,
      ...(start === undefined ? {} : { start }),
    };
    this.station = this.#reading.station;
    this.group = this.#reading.group;
  }

  /** One batch: as soon as something is there, or empty when the wait is over. */
  async fetch<T>(
    { partition, partitionKey, ...given }: Resolved<typeof fetchOptions>,
    limit: FetchLimit = {},
  ): Promise<Message<T>[]> {
    const isChosen = partition !== undefined || partitionKey !== undefined;
    const chosen = isChosen ? await this.#choose(partition, partitionKey, limit) : undefined;
    const batch = await this.pull({
      batchSize: given.batchSize ?? this.#options.batchSize,
      waitMs: given.batchMaxWaitMs ?? this.#options.batchMaxWaitMs,
      ...limit,
      ...(chosen === undefined ? {} : { partition: chosen }),
    });
    return [...new Ledger<T>(batch).messages];
  }

  async #choose(
    partition: number | undefined,
    partitionKey: string | undefined,
    { settleByMs = NO_LIMIT }: FetchLimit,
  ): Promise<number | undefined> {
    if (this.#reading.binding !== undefined) {
      throw new MemphisError('INVALID_OPTION', 'A stream that is bound to has no partitions to choose from.', {
        option: partition === undefined ? 'partitionKey' : 'partition',
      });
    }
    const broker = await this.#broker(settleByMs);
    const patience = settleByMs === NO_LIMIT ? {} : { patienceMs: leftUntil(settleByMs) };
    return choosePartition(this.station, await broker.partitions(this.station, patience), { partition, partitionKey });
  }

  /** Without what does not fit the station's schema; of nothing but that, an empty batch would say that there is nothing. */
  async pull(options: PullOptions): Promise<Batch> {
    const { schema, onInvalid } = this.#options;
    const waitUntilMs = Date.now() + options.waitMs;
    for (;;) {
      const waitMs = Math.max(0, waitUntilMs - Date.now());
      const pulled = await (await this.#reader(options)).pull({ ...options, waitMs });
      const sifted = await siftBatch(pulled, schema, onInvalid);
      if (sifted === undefined) return pulled;
      await sifted.unfit?.catch(() => {}); // told on the channel; what is not settled comes again
      if (sifted.batch.messages.length > 0 || pulled.messages.length === 0 || options.signal?.aborted) {
        return sifted.batch;
      }
    }
  }

  /** What its reader is asked for by. */
  get reading(): ReaderOptions {
    return this.#reading;
  }

  /** Asked each time: the broker behind a session may be another one after a failure. */
  async #reader({ settleByMs }: FetchLimit): Promise<Reader> {
    return readersOf(await this.#broker(settleByMs)).reader(this.#reading);
  }

  #broker(deadlineMs: number = NO_LIMIT): Promise<Broker> {
    return this.#session.broker(deadlineMs === NO_LIMIT ? {} : { deadlineMs });
  }
}
