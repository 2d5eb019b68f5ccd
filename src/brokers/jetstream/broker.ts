/** The JetStream driver's data side. Administration is in `admin.ts`, which functions never reach. */

import type { Link } from '../../connection/link.ts';
import type { Broker, OutgoingMessage, PublishOptions, Reader, ReaderOptions } from '../../model/broker.ts';
import type { Receipt } from '../../model/receipt.ts';
import type { StationSchema } from '../../model/schema.ts';
import { defaultStation } from '../../model/station.ts';
import { JetStreamReader } from './reader.ts';
import { repeat } from './repeat.ts';
import { Retries } from './retries.ts';
import { Schemas } from './schemas.ts';
import { Stations, streamOf } from './stations.ts';
import { deleteMessage } from './wire/streams.ts';

export class JetStreamBroker implements Broker {
  readonly kind = 'jetstream';
  readonly link: Link;
  readonly stations: Stations;
  readonly retries: Retries;
  readonly schemas: Schemas;
  readonly #readers = new Map<string, Reader>();
  /** Evaluated with the first message: functions that only read have none. */
  #publishing: typeof import('./publish.ts') | undefined;

  constructor(link: Link, { createStationOnFirstUse = false }: { readonly createStationOnFirstUse?: boolean } = {}) {
    this.link = link;
    this.stations = new Stations(
      link,
      createStationOnFirstUse
        ? async (name) => (await import('./make-station.ts')).makeStation(link, name, defaultStation)
        : undefined,
    );
    this.retries = new Retries(link);
    this.schemas = new Schemas(link, this.stations);
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
    const stored =
      this.#publishing?.publish(this.link, this.stations, message, options) ?? this.#loadAndPublish(message, options);
    const look = this.schemas.looking(message.station);
    return look === undefined ? stored : stored.finally(() => look); // nothing is under way when it is over
  }

  async #loadAndPublish(message: OutgoingMessage, options: PublishOptions): Promise<Receipt> {
    this.#publishing = await import('./publish.ts');
    return await this.#publishing.publish(this.link, this.stations, message, options);
  }

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

  async checker(options: { readonly timeoutMs: number }): Promise<(message: OutgoingMessage) => number> {
    const { checkerFor } = await import('./publish.ts');
    return checkerFor(this.link, options.timeoutMs);
  }

  /** The same reader for the same options: what it knows of its durables serves the next invocation too. */
  reader(options: ReaderOptions): Reader {
    const { station, group, binding, ackWaitMs, maxDeliveries, start, ordered } = options;
    const key = JSON.stringify([station, group, binding, ackWaitMs, maxDeliveries, start, ordered]);
    let reader = this.#readers.get(key);
    if (reader === undefined) {
      reader = new JetStreamReader(this.link, this.stations, this.retries, options, { schemas: this.schemas });
      this.#readers.set(key, reader);
    }
    return reader;
  }
}
