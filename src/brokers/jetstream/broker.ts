/** The JetStream driver's data side. Administration is in `admin.ts`, which functions never reach. */

import type { Link } from '../../connection/link.ts';
import type { Broker, OutgoingMessage, PublishOptions, Reader, ReaderOptions } from '../../model/broker.ts';
import type { Receipt } from '../../model/receipt.ts';
import { toStationSettings } from '../../model/station-settings.ts';
import { makeStation } from './make-station.ts';
import { checkerFor, publish } from './publish.ts';
import { JetStreamReader } from './reader.ts';
import { Retries } from './retries.ts';
import { Stations } from './stations.ts';

export class JetStreamBroker implements Broker {
  readonly kind = 'jetstream';
  readonly link: Link;
  readonly stations: Stations;
  readonly retries: Retries;
  readonly #readers = new Map<string, Reader>();

  constructor(link: Link, { createStationOnFirstUse = false }: { readonly createStationOnFirstUse?: boolean } = {}) {
    this.link = link;
    this.stations = new Stations(
      link,
      createStationOnFirstUse ? (name) => makeStation(link, name, toStationSettings(name, undefined)) : undefined,
    );
    this.retries = new Retries(link);
  }

  async partitions(station: string, options?: { readonly patienceMs?: number }): Promise<readonly number[]> {
    return (await this.stations.view(station, options?.patienceMs)).partitions;
  }

  mayGuess(station: string): boolean {
    return !this.stations.isKnown(station);
  }

  publish(message: OutgoingMessage, options: PublishOptions): Promise<Receipt> {
    return publish(this.link, this.stations, message, options);
  }

  checker(options: { readonly timeoutMs: number }): Promise<(message: OutgoingMessage) => number> {
    return checkerFor(this.link, options.timeoutMs);
  }

  /** The same reader for the same options: what it knows of its durables serves the next invocation too. */
  reader(options: ReaderOptions): Reader {
    const { station, group, binding, ackWaitMs, maxDeliveries, start, ordered } = options;
    const key = JSON.stringify([station, group, binding, ackWaitMs, maxDeliveries, start, ordered]);
    let reader = this.#readers.get(key);
    if (reader === undefined) {
      reader = new JetStreamReader(this.link, this.stations, this.retries, options);
      this.#readers.set(key, reader);
    }
    return reader;
  }
}
