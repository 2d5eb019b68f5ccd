/** What the data side needs to know of a station on a Memphis broker. Its streams tell; the rest the broker keeps to itself. */

import type { Connection } from '../../connection/port.ts';
import { repeat } from '../jetstream/repeat.ts';
import { partitionsOf, Stations, type StationView, stationNotFound } from '../jetstream/stations.ts';

/** What producers need to know beside that. */
export type ProducerView = Partial<Pick<StationView, 'idempotencyWindowMs' | 'room'>>;

type ReadProducerView = (connection: Connection, station: string, limitMs: number) => Promise<ProducerView>;

export class MemphisStations extends Stations {
  #forProducers: ReadProducerView | undefined;

  /** Whoever produces brings it along: it is another request beside the first, which those who read need not make. */
  bring(read: ReadProducerView): void {
    this.#forProducers = read;
    this.forgetAll();
  }

  protected override async look(station: string, patienceMs: number): Promise<StationView> {
    const [partitions, more] = await repeat(this.link, 'look up station', patienceMs, (connection, limitMs) =>
      Promise.all([partitionsOf(connection, station, limitMs), this.#forProducers?.(connection, station, limitMs)]),
    );
    if (partitions.length === 0) throw stationNotFound(station);
    return {
      partitions,
      // whether dead letters are kept is the broker's to know: it drops what it is given where they are not (6.2)
      sendPoisonMsgToDls: true,
      sendSchemaFailedMsgToDls: true,
      // the broker itself copies dead letters into a linked station (6.6)
      dlsStation: '',
      schemaName: '?', // told by registrations (schemas.ts)
      idempotencyWindowMs: 100, // the shortest there is
      ...more,
    };
  }
}
