/** The data side of any broker whose stations are streams of JetStream: what a message and a reader have to do with them. */

import type { Link } from '../../connection/link.ts';
import type { OutgoingMessage, PublishOptions, Reader, ReaderOptions } from '../../model/broker.ts';
import type { Receipt } from '../../model/receipt.ts';
import type { StationSchema } from '../../model/schema.ts';
import { repeat } from './repeat.ts';
import { Retries } from './retries.ts';
import type { Schemas } from './schemas.ts';
import { type Stations, streamOf } from './stations.ts';
import { deleteMessage } from './wire/streams.ts';

export abstract class StreamBroker<S extends Stations, K extends Schemas> {
  readonly link: Link;
  readonly stations: S;
  readonly schemas: K;
  /** What comes back later, to the groups of all readers. */
  readonly retries: Retries;
  readonly #readers = new Map<string, Reader>();

  constructor(link: Link, stations: S, schemas: K) {
    this.link = link;
    this.stations = stations;
    this.schemas = schemas;
    this.retries = new Retries(link);
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

  protected abstract send(message: OutgoingMessage, options: PublishOptions): Promise<Receipt>;

  async schemaOf(
    station: string,
    options?: { readonly isFresh?: boolean; readonly patienceMs?: number },
  ): Promise<StationSchema | undefined> {
    const known = await this.schemas.of(station, options?.patienceMs);
    if (options?.isFresh !== true) return known;
    await this.schemas.refresh(station);
    return this.schemas.current(station);
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
