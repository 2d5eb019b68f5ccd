/** Administration of a Memphis broker: what is asked of it by request, and looked at afterwards in its streams. */

import type { Connection } from '../../connection/port.ts';
import type { BrokerAdmin, ReaderOptions } from '../../model/broker.ts';
import type { DeadLetterStore } from '../../model/dead-letter.ts';
import { isMemphisError, MemphisError } from '../../model/errors.ts';
import type { SchemaStore } from '../../model/schema-store.ts';
import type { StationSettings } from '../../model/station.ts';
import type { StationDescription, StationListing } from '../../model/station-description.ts';
import { JetStreamDeadLetters } from '../jetstream/dead-letter-admin.ts';
import { describeStation, listStations } from '../jetstream/describe.ts';
import { unlessGone } from '../jetstream/destroy-group.ts';
import { PATIENCE_MS, repeat } from '../jetstream/repeat.ts';
import { isBefore } from '../jetstream/server-version.ts';
import { deadLetterStreamOf, partitionsOf, retryStreamOf, stationNotFound } from '../jetstream/stations.ts';
import { isJson, type Json } from '../jetstream/wire/api.ts';
import { deleteStream, streamNames } from '../jetstream/wire/streams.ts';
import { untilAdvisoriesAreRead } from './advisories-read.ts';
import type { MemphisBroker } from './broker.ts';
import { MemphisDeadLetters } from './dead-letter-admin.ts';
import { destroyGroup } from './destroy-group.ts';
import type { HttpApi } from './http-api.ts';
import { CONTROL_LIMIT_MS } from './limits.ts';
import { memphisReadersOf } from './readers.ts';
import { resendStreamsOf } from './resend-streams.ts';
import { MemphisSchemaStore } from './schema-store.ts';
import { createStation, isRace } from './wire/station-creation.ts';
import { destroyStation } from './wire/station-destruction.ts';

export class MemphisAdmin implements BrokerAdmin {
  readonly schemas: SchemaStore;
  readonly #broker: MemphisBroker;
  readonly #api: HttpApi;

  /** @param api for its dead letters; nothing is asked of it before they are */
  constructor(broker: MemphisBroker, api: HttpApi) {
    this.#broker = broker;
    this.#api = api;
    this.schemas = new MemphisSchemaStore(broker.link, broker.schemas, api);
  }

  async createStation(name: string, settings: StationSettings): Promise<boolean> {
    if (await this.#isThere(name)) return false;
    this.#broker.stations.forget(name);
    const connection = await this.#broker.link.ready(Date.now() + CONTROL_LIMIT_MS);
    const { version } = await connection.info;
    if (settings.dlsStation !== '' && isBefore(version, 1, 3, 1)) {
      throw new MemphisError(
        'UNSUPPORTED',
        `Memphis ${version} knows no linked stations (1.3.1 is the first that does): leave dlsStation out.`,
        { option: 'dlsStation', station: name },
      );
    }
    try {
      await createStation(connection, name, settings, CONTROL_LIMIT_MS);
    } catch (error) {
      if (!isRace(error) || !(await this.#isThere(name))) throw error;
      return false;
    }
    // the same answer is given where nothing was made (8.4)
    if (await this.#isThere(name)) return true;
    if (settings.schemaName !== '') {
      throw new MemphisError(
        'SCHEMA_NOT_FOUND',
        `There is no schema ${settings.schemaName}; the station is not made.`,
        {
          option: 'schemaName',
          station: name,
        },
      );
    }
    throw new MemphisError(
      'BROKER_REFUSED',
      `The broker says that it made station ${name}, but it did not: its user ${connection.identity.username} is unknown to it.`,
      { station: name },
    );
  }

  async destroyStation(name: string): Promise<void> {
    const { link, stations } = this.#broker;
    stations.forget(name);
    // read later, it would be a dead letter of the next station of this name
    await untilAdvisoriesAreRead(link);
    const connection = await link.ready(Date.now() + CONTROL_LIMIT_MS);
    try {
      await destroyStation(connection, name, CONTROL_LIMIT_MS);
    } catch (error) {
      throw isMemphisError(error, 'STATION_NOT_FOUND') ? stationNotFound(name) : error;
    }
    const names = await this.#look('destroy station', (on, limitMs) => streamNames(on, limitMs));
    const resent = names.filter((stream) => stream.startsWith(resendStreamsOf(name)));
    for (const stream of [retryStreamOf(name), deadLetterStreamOf(name), ...resent]) {
      await this.#look('destroy station', (on, limitMs) => deleteStream(on, stream, limitMs).catch(unlessGone));
    }
  }

  destroyGroup(options: ReaderOptions): Promise<void> {
    return destroyGroup(this.#broker, options);
  }

  /** Its streams tell most of it, the HTTP API what no stream has a place for. */
  async describeStation(name: string): Promise<StationDescription> {
    const told = await describeStation(this.#broker.link, name);
    const found = await this.#api.get('stations/getStation', { station_name: name });
    const row: Json = isJson(found) ? found : {};
    const dls: Json = isJson(row.dls_configuration) ? row.dls_configuration : {};
    return {
      ...told,
      isOurs: true,
      settings: {
        ...told.settings,
        sendPoisonMsgToDls: dls.poison === true,
        sendSchemaFailedMsgToDls: dls.schemaverse === true,
        dlsStation: String(row.dls_station ?? ''),
        tieredStorageEnabled: row.tiered_storage_enabled === true,
        schemaName: String(row.schema_name ?? ''),
      },
      deadLetters: await this.deadLetterStore(name, false).count(),
    };
  }

  /** All that the broker has are its own. */
  async listStations(): Promise<readonly StationListing[]> {
    const stations = await listStations(this.#broker.link);
    return stations.map(({ name }) => ({ name, isOurs: true }));
  }

  /** Those of a stream of others are in a stream of ours, as on any NATS server. */
  deadLetterStore(station: string, isBound: boolean): DeadLetterStore {
    const { link, stations } = this.#broker;
    const parts = { link, stations, retries: memphisReadersOf(this.#broker).retries };
    return isBound ? new JetStreamDeadLetters(parts, station, true) : new MemphisDeadLetters(parts, this.#api, station);
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
