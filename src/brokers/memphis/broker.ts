/** The data side of a Memphis broker: JetStream underneath, with the broker's own names, rows and dead letters. */

import type { Link } from '../../connection/link.ts';
import type { ReaderOptions } from '../../model/broker.ts';
import { MemphisError } from '../../model/errors.ts';
import { defaultStation } from '../../model/station.ts';
import type { JetStreamReader } from '../jetstream/reader.ts';
import { type FindLookUp, StreamBroker } from '../jetstream/stream-broker.ts';
import { CONTROL_LIMIT_MS, MAX_DELIVERIES } from './limits.ts';
import { makeReader } from './make-reader.ts';
import { Members } from './members.ts';
import { MemphisSchemaNames } from './schema-names.ts';
import { MemphisStations } from './stations.ts';
import { createStation } from './wire/station-creation.ts';

export class MemphisBroker extends StreamBroker<MemphisStations> {
  readonly kind = 'memphis';
  readonly members = new Members();
  /** What is known of schemas without a codec. */
  readonly names: MemphisSchemaNames;

  constructor(
    link: Link,
    {
      createStationOnFirstUse = false,
      lookUp,
    }: { readonly createStationOnFirstUse?: boolean; readonly lookUp?: FindLookUp } = {},
  ) {
    const make = async (name: string): Promise<void> => {
      const connection = await link.ready(Date.now() + CONTROL_LIMIT_MS);
      await createStation(connection, name, defaultStation, CONTROL_LIMIT_MS);
    };
    const stations = new MemphisStations(link, createStationOnFirstUse ? make : undefined);
    const names = new MemphisSchemaNames((station) => this.schemaOf(station));
    super(link, stations, names, lookUp);
    this.names = names;
  }

  /** The same reader for the same options. @throws MemphisError `UNSUPPORTED` for more deliveries than the broker makes */
  override reader(options: ReaderOptions): JetStreamReader {
    const { station, group, binding, maxDeliveries } = options;
    if (binding !== undefined || maxDeliveries <= MAX_DELIVERIES) return super.reader(options);
    throw new MemphisError(
      'UNSUPPORTED',
      `A Memphis broker delivers a message ${MAX_DELIVERIES} times at most; ask for no more than that.`,
      { option: 'maxMsgDeliveries', station, group },
    );
  }

  protected override makeReader(options: ReaderOptions): JetStreamReader {
    return makeReader(this, options);
  }

  /** Waits for registrations that are under way: without their answer they would look alive for ever. */
  close(): Promise<void> {
    return this.members.settled();
  }
}
