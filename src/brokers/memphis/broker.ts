/** The driver of a Memphis broker: JetStream underneath, with the broker's own names and rows. */

import type { Link } from '../../connection/link.ts';
import { leftUntil } from '../../connection/within.ts';
import { defaultStation } from '../../model/station.ts';
import { type FindLookUp, StreamBroker } from '../jetstream/stream-broker.ts';
import { CONTROL_LIMIT_MS } from './limits.ts';
import { Members } from './members.ts';
import { MemphisSchemaNames } from './schema-names.ts';
import { MemphisStations } from './stations.ts';
import { createStation, isRace } from './wire/station-creation.ts';

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
    const make = async (name: string, patienceMs: number): Promise<void> => {
      const untilMs = Date.now() + Math.min(patienceMs, CONTROL_LIMIT_MS);
      try {
        await createStation(await link.ready(untilMs), name, defaultStation, leftUntil(untilMs));
      } catch (error) {
        if (!isRace(error)) throw error; // another use made it, of this process or of another one
      }
    };
    const stations = new MemphisStations(link, createStationOnFirstUse ? make : undefined);
    const names = new MemphisSchemaNames((station) => this.schemaOf(station));
    super(link, stations, names, lookUp);
    this.names = names;
  }

  /** Waits for registrations that are under way: without their answer they would look alive for ever. */
  close(): Promise<void> {
    return this.members.settled();
  }
}
