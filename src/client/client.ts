/** The whole client: data side and administration. */

import { JetStreamAdmin } from '../brokers/jetstream/admin.ts';
import { JetStreamBroker } from '../brokers/jetstream/broker.ts';
import type { BrokerAdmin } from '../model/broker.ts';
import { MemphisError } from '../model/errors.ts';
import {
  DEFAULT_IDEMPOTENCY_WINDOW_MS,
  type Given,
  type Resolved,
  resolveOptions,
  stationOptions,
} from '../model/options.ts';
import { checkName, type StationSettings } from '../model/station.ts';
import { DataClient } from './data.ts';
import { Station, type StationOwner } from './station.ts';

/** Options of `createStation`. */
export type StationOptions = Given<typeof stationOptions>;

function toSettings(options: Resolved<typeof stationOptions>): StationSettings {
  const { retentionType, retentionValue, idempotencyWindowMs } = options;
  const retentionMs = retentionType === 'message_age_sec' ? retentionValue * 1000 : Number.POSITIVE_INFINITY;
  if (idempotencyWindowMs !== undefined && idempotencyWindowMs > retentionMs) {
    throw new MemphisError(
      'INVALID_OPTION',
      `createStation: idempotencyWindowMs (${idempotencyWindowMs}) must not exceed the retention (${retentionMs} ms).`,
      { option: 'idempotencyWindowMs' },
    );
  }
  return {
    partitionsNumber: options.partitionsNumber,
    retentionType,
    retentionValue,
    storageType: options.storageType,
    replicas: options.replicas,
    idempotencyWindowMs: idempotencyWindowMs ?? Math.min(DEFAULT_IDEMPOTENCY_WINDOW_MS, retentionMs),
    sendPoisonMsgToDls: options.sendPoisonMsgToDls,
  };
}

export class Client extends DataClient implements StationOwner {
  /**
   * Makes a station; one that exists stays as it is.
   *
   * @throws MemphisError `INVALID_NAME`, `INVALID_OPTION`, `STATION_CONFLICT`, `UNSUPPORTED` (more replicas than servers)
   */
  async createStation(name: string, options?: StationOptions): Promise<Station> {
    const checked = checkName('station', name);
    const settings = toSettings(resolveOptions('createStation', stationOptions, options));
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

  /** Ends the connection. */
  close(): Promise<void> {
    return this.session.close();
  }

  async #admin(): Promise<BrokerAdmin> {
    const broker = await this.session.broker();
    if (broker instanceof JetStreamBroker) return new JetStreamAdmin(broker);
    throw new MemphisError('UNSUPPORTED', `The ${broker.kind} driver has no administration yet.`);
  }
}
