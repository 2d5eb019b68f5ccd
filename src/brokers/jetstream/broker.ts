/** The JetStream driver. Consuming is in `readers.ts`, producing in `publisher.ts`, administration in `admin.ts`, which functions never reach. */

import type { Link } from '../../connection/link.ts';
import { defaultStation } from '../../model/station.ts';
import { makeStation } from './make-station.ts';
import { SchemaNames } from './schema-names.ts';
import { Stations } from './stations.ts';
import { type FindLookUp, StreamBroker } from './stream-broker.ts';

export class JetStreamBroker extends StreamBroker<Stations> {
  readonly kind = 'jetstream';

  constructor(
    link: Link,
    {
      createStationOnFirstUse = false,
      lookUp,
    }: { readonly createStationOnFirstUse?: boolean; readonly lookUp?: FindLookUp } = {},
  ) {
    const make = (name: string, patienceMs: number): Promise<void> =>
      makeStation(link, name, defaultStation, patienceMs);
    const stations = new Stations(link, createStationOnFirstUse ? make : undefined);
    super(link, stations, new SchemaNames(stations, (station) => this.schemaOf(station)), lookUp);
  }
}
