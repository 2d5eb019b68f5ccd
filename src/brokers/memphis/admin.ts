/** Administration of a Memphis broker: what is asked of it by request, and looked at afterwards in its streams. */

import type { Connection } from '../../connection/port.ts';
import type { BrokerAdmin } from '../../model/broker.ts';
import type { DeadLetterStore } from '../../model/dead-letter.ts';
import { isMemphisError, MemphisError } from '../../model/errors.ts';
import type { StationSettings } from '../../model/station.ts';
import type { StationDescription, StationListing } from '../../model/station-description.ts';
import { describeStation, listStations } from '../jetstream/describe.ts';
import { PATIENCE_MS, repeat } from '../jetstream/repeat.ts';
import { deadLetterStreamOf, partitionsOf, retryStreamOf, stationNotFound } from '../jetstream/stations.ts';
import { apiError, refusalOf } from '../jetstream/wire/api.ts';
import { deleteStream } from '../jetstream/wire/streams.ts';
import { CONTROL_LIMIT_MS, type MemphisBroker } from './broker.ts';
import { createStation } from './wire/station-creation.ts';
import { destroyStation } from './wire/station-destruction.ts';

export class MemphisAdmin implements BrokerAdmin {
  readonly #broker: MemphisBroker;

  constructor(broker: MemphisBroker) {
    this.#broker = broker;
  }

  async createStation(name: string, settings: StationSettings): Promise<boolean> {
    const isThere = await this.#look('look for station', async (connection, limitMs) => {
      return (await partitionsOf(connection, name, limitMs)).length > 0;
    });
    if (isThere) return false;
    this.#broker.stations.forget(name);
    const connection = await this.#broker.link.ready(Date.now() + CONTROL_LIMIT_MS);
    try {
      await createStation(connection, name, settings, '', CONTROL_LIMIT_MS);
    } catch (error) {
      // somebody else made it at the same time, with these settings or with others (8.3)
      const isRace = isMemphisError(error, 'JETSTREAM_UNAVAILABLE') || isMemphisError(error, 'STATION_CONFLICT');
      if (!isRace || !(await this.#isThere(name))) throw error;
      return false;
    }
    // the same answer is given where nothing was made (8.4)
    if (await this.#isThere(name)) return true;
    throw new MemphisError(
      'BROKER_REFUSED',
      `The broker says that it made station ${name}, but it did not: its user ${connection.identity.username} is unknown to it.`,
      { station: name },
    );
  }

  async destroyStation(name: string): Promise<void> {
    const { link, stations } = this.#broker;
    stations.forget(name);
    const connection = await link.ready(Date.now() + CONTROL_LIMIT_MS);
    try {
      await destroyStation(connection, name, CONTROL_LIMIT_MS);
    } catch (error) {
      throw isMemphisError(error, 'STATION_NOT_FOUND') ? stationNotFound(name) : error;
    }
    for (const stream of [retryStreamOf(name), deadLetterStreamOf(name)]) {
      await this.#look('destroy station', (on, limitMs) =>
        deleteStream(on, stream, limitMs).catch((error: unknown) => {
          if (refusalOf(error) !== apiError.STREAM_NOT_FOUND) throw error;
        }),
      );
    }
  }

  describeStation(name: string): Promise<StationDescription> {
    return describeStation(this.#broker.link, name);
  }

  listStations(): Promise<readonly StationListing[]> {
    return listStations(this.#broker.link);
  }

  deadLetterStore(station: string, _isBound: boolean): DeadLetterStore {
    throw new MemphisError('UNSUPPORTED', 'Dead letters of a Memphis broker are read in its own interface.', {
      station,
    });
  }

  #isThere(name: string): Promise<boolean> {
    return this.#look('look for station', async (connection, limitMs) => {
      return (await partitionsOf(connection, name, limitMs)).length > 0;
    });
  }

  #look<T>(operation: string, run: (connection: Connection, limitMs: number) => Promise<T>): Promise<T> {
    return repeat(this.#broker.link, operation, PATIENCE_MS, run);
  }
}
