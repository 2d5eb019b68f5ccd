/** The data side of any broker whose stations are streams of JetStream: what a reader has to do with them. */

import type { Link } from '../../connection/link.ts';
import type { Broker, BrokerKind, ReaderOptions } from '../../model/broker.ts';
import type { StationSchema } from '../../model/schema.ts';
import type { LookUp, StationSchemas } from '../../model/schema-look-up.ts';
import type { JetStreamReader } from './reader.ts';
import { Retries } from './retries.ts';
import type { Stations } from './stations.ts';

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
  readonly #readers = new Map<string, JetStreamReader>();

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

  async schemaOf(
    station: string,
    { isFresh = false, patienceMs }: { readonly isFresh?: boolean; readonly patienceMs?: number } = {},
  ): Promise<StationSchema | undefined> {
    const { schemas } = this;
    return await (isFresh && schemas.fresh !== undefined ? schemas.fresh(station) : schemas.of(station, patienceMs));
  }

  /** The same reader for the same options: what it knows of its durables serves the next invocation too. */
  reader(options: ReaderOptions): JetStreamReader {
    const { station, group, binding, ackWaitMs, maxDeliveries, start, ordered } = options;
    const key = JSON.stringify([station, group, binding, ackWaitMs, maxDeliveries, start, ordered]);
    let reader = this.#readers.get(key);
    if (reader === undefined) {
      reader = this.makeReader(options);
      this.#readers.set(key, reader);
    }
    return reader;
  }

  protected abstract makeReader(options: ReaderOptions): JetStreamReader;
}
