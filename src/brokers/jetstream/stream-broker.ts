/** Any broker whose stations are streams of JetStream: what consuming and producing have in common. */

import type { Link } from '../../connection/link.ts';
import type { Broker, BrokerKind } from '../../model/broker.ts';
import type { StationSchema } from '../../model/schema.ts';
import type { LookUp, StationSchemas } from '../../model/schema-look-up.ts';
import type { Stations } from './stations.ts';

/** What finds out of schemas, where there is something by now. */
export type FindLookUp = () => LookUp | undefined;

export abstract class StreamBroker<S extends Stations> implements Broker {
  abstract readonly kind: BrokerKind;
  readonly link: Link;
  readonly stations: S;
  readonly #names: StationSchemas;
  readonly #lookUp: FindLookUp | undefined;
  #schemas: StationSchemas | undefined;

  /** @param names what is known of schemas as long as nothing can look them up */
  constructor(link: Link, stations: S, names: StationSchemas, lookUp: FindLookUp | undefined) {
    this.link = link;
    this.stations = stations;
    this.#names = names;
    this.#lookUp = lookUp;
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
}
