/** The whole client: data side and administration. */

import { JetStreamAdmin } from '../brokers/jetstream/admin.ts';
import { JetStreamBroker } from '../brokers/jetstream/broker.ts';
import { MemphisAdmin } from '../brokers/memphis/admin.ts';
import { MemphisBroker } from '../brokers/memphis/broker.ts';
import type { HttpApi } from '../brokers/memphis/http-api.ts';
import type { BrokerAdmin } from '../model/broker.ts';
import { MemphisError } from '../model/errors.ts';
import { checkName } from '../model/station.ts';
import type { StationDescription, StationListing } from '../model/station-description.ts';
import { type StationOptions, toStationSettings } from '../model/station-settings.ts';
import { DataClient } from './data.ts';
import { DeadLetters, toDeadLetterSource } from './dead-letters.ts';
import type { Session } from './session.ts';
import { Station, type StationOwner } from './station.ts';

export class Client extends DataClient implements StationOwner {
  readonly #api: HttpApi;

  /** Use `connect`. */
  constructor(session: Session, api: HttpApi) {
    super(session);
    this.#api = api;
  }

  /**
   * Makes a station; one that exists stays as it is, whatever the options say.
   *
   * @throws MemphisError `INVALID_NAME`, `INVALID_OPTION`, `STATION_CONFLICT`, `STORAGE_FULL`, `PERMISSION_DENIED`,
   * `UNSUPPORTED` (more replicas than servers, tiered storage)
   */
  async createStation(name: string, options?: StationOptions): Promise<Station> {
    const checked = checkName('station', name);
    const settings = toStationSettings(checked, options);
    await (await this.#admin()).createStation(checked, settings);
    return new Station(this, checked);
  }

  /** A station by name. No I/O. @throws MemphisError `INVALID_NAME` */
  station(name: string): Station {
    return new Station(this, checkName('station', name));
  }

  /** Deletes a station with its messages, groups and dead letters. @throws MemphisError `STATION_NOT_FOUND` */
  async destroyStation(name: string): Promise<void> {
    await (await this.#admin()).destroyStation(checkName('station', name));
  }

  /**
   * A station as it is: settings in force, what its partitions hold, where its groups stand, how many dead letters.
   *
   * @throws MemphisError `STATION_NOT_FOUND`, `INVALID_NAME`, `PERMISSION_DENIED`
   */
  async describeStation(name: string): Promise<StationDescription> {
    const checked = checkName('station', name);
    return await (await this.#admin()).describeStation(checked);
  }

  /** All stations of this broker, those of others too, by name. @throws MemphisError `PERMISSION_DENIED` */
  async listStations(): Promise<readonly StationListing[]> {
    return await (await this.#admin()).listStations();
  }

  /**
   * The dead letters of a station, or of a stream that was made by others. No I/O.
   *
   * @throws MemphisError `INVALID_NAME`, `INVALID_OPTION`
   */
  deadLetters(source: string | { readonly stream: string }): DeadLetters {
    const { name, isBound } = toDeadLetterSource(source);
    return new DeadLetters({ name, isBound }, async () => (await this.#admin()).deadLetterStore(name, isBound));
  }

  /**
   * Stops all consumers and waits for their handlers, then for what is being produced (each message has its
   * `ackWaitMs`), and ends the connection. Groups and their positions stay.
   *
   * @throws MemphisError `NOT_ALL_STORED` for failures of `async` produces that no `onError` took; it is closed then
   */
  async close(): Promise<void> {
    try {
      await this.stopConsumers();
      await this.endProducing();
    } finally {
      await this.session.close();
    }
  }

  async #admin(): Promise<BrokerAdmin> {
    const broker = await this.session.broker();
    if (broker instanceof JetStreamBroker) return new JetStreamAdmin(broker);
    if (broker instanceof MemphisBroker) return new MemphisAdmin(broker, this.#api);
    if (isAdmin(broker)) return broker;
    throw new MemphisError('UNSUPPORTED', `The ${broker.kind} driver has no administration yet.`);
  }
}

/** A driver of a test may have its administration with it. */
const isAdmin = (broker: object): broker is BrokerAdmin => 'createStation' in broker;
