/** The data side of any broker whose stations are streams of JetStream: what a message and a reader have to do with them. */

import type { Link } from '../../connection/link.ts';
import type { Broker, BrokerKind, OutgoingMessage, PublishOptions, Reader, ReaderOptions } from '../../model/broker.ts';
import type { Receipt } from '../../model/receipt.ts';
import type { StationSchema } from '../../model/schema.ts';
import type { LookUp, StationSchemas } from '../../model/schema-look-up.ts';
import { repeat } from './repeat.ts';
import { Retries } from './retries.ts';
import { type Stations, streamOf } from './stations.ts';
import { deleteMessage } from './wire/streams.ts';

/** What finds out of schemas, where there is something by now. */
export type FindLookUp = () => LookUp | undefined;

export abstract class StreamBroker<S extends Stations> implements Broker {
  abstract readonly kind: BrokerKind;
  readonly link: Link;
  readonly stations: S;
  /** What comes back later, to the groups of all readers. */
  readonly retries: Retries;
  readonly #names: StationSchemas;
  readonly #lookUp: FindLookUp | undefined;
  #schemas: StationSchemas | undefined;
  readonly #readers = new Map<string, Reader>();

  /** @param names what is known of schemas as long as nothing can look them up */
  constructor(link: Link, stations: S, names: StationSchemas, lookUp: FindLookUp | undefined) {
    this.link = link;
    this.stations = stations;
    this.#names = names;
    this.#lookUp = lookUp;
    this.retries = new Retries(link);
  }

  get schemas(): StationSchemas {
    this.#schemas ??= this.#lookUp?.()?.(this);
    return this.#schemas ?? this.#names;
  }

  async partitions(station: string, options?: { readonly patienceMs?: number }): Promise<readonly number[]> {
    return (await this.stations.view(station, options?.patienceMs)).partitions;
  }

  mayGuess(station: string): boolean {
    return !this.stations.isLooked(station);
  }

  plainPartitions(station: string): readonly number[] | undefined {
    const view = this.stations.known(station);
    return view !== undefined && this.schemas.isPlain(station) ? view.partitions : undefined;
  }

  publish(message: OutgoingMessage, options: PublishOptions): Promise<Receipt> {
    const stored = this.send(message, options);
    const look = this.schemas.looking(message.station);
    return look === undefined ? stored : stored.finally(() => look); // nothing is under way when it is over
  }

  abstract checker(options: { readonly timeoutMs: number }): Promise<(message: OutgoingMessage) => number>;

  protected abstract send(message: OutgoingMessage, options: PublishOptions): Promise<Receipt>;

  async schemaOf(
    station: string,
    { isFresh = false, patienceMs }: { readonly isFresh?: boolean; readonly patienceMs?: number } = {},
  ): Promise<StationSchema | undefined> {
    const { schemas } = this;
    return await (isFresh && schemas.fresh !== undefined ? schemas.fresh(station) : schemas.of(station, patienceMs));
  }

  async takeBack({ station, partition, sequence }: Receipt, { timeoutMs }: PublishOptions): Promise<void> {
    await repeat(this.link, 'take back', timeoutMs, (connection, limitMs) =>
      deleteMessage(connection, streamOf(station, partition), sequence, limitMs),
    );
  }

  /** The same reader for the same options: what it knows of its durables serves the next invocation too. */
  reader(options: ReaderOptions): Reader {
    const { station, group, binding, ackWaitMs, maxDeliveries, start, ordered } = options;
    const key = JSON.stringify([station, group, binding, ackWaitMs, maxDeliveries, start, ordered]);
    let reader = this.#readers.get(key);
    if (reader === undefined) {
      reader = this.makeReader(options);
      this.#readers.set(key, reader);
    }
    return reader;
  }

  protected abstract makeReader(options: ReaderOptions): Reader;
}
