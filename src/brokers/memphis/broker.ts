/** The data side of a Memphis broker: JetStream underneath, with the broker's own names, rows and dead letters. */

import type { Link } from '../../connection/link.ts';
import type { Broker, OutgoingMessage, PublishOptions, Reader, ReaderOptions } from '../../model/broker.ts';
import { MemphisError } from '../../model/errors.ts';
import type { Receipt } from '../../model/receipt.ts';
import { defaultStation } from '../../model/station.ts';
import { checkerFor, publish } from '../jetstream/publish.ts';
import { JetStreamReader } from '../jetstream/reader.ts';
import { Retries } from '../jetstream/retries.ts';
import { setAsideFor } from './dead-letters.ts';
import { CONTROL_LIMIT_MS, MAX_DELIVERIES, MemphisGroup } from './group.ts';
import { APP_ID } from './identity.ts';
import { Members } from './members.ts';
import { publishHeaders } from './publish-headers.ts';
import { MemphisStations } from './stations.ts';
import { registerProducer } from './wire/producer-creation.ts';
import { createStation } from './wire/station-creation.ts';

export class MemphisBroker implements Broker {
  readonly kind = 'memphis';
  readonly link: Link;
  readonly stations: MemphisStations;
  readonly retries: Retries;
  readonly members = new Members();
  readonly #readers = new Map<string, Reader>();

  constructor(link: Link, { createStationOnFirstUse = false }: { readonly createStationOnFirstUse?: boolean } = {}) {
    this.link = link;
    this.stations = new MemphisStations(
      link,
      createStationOnFirstUse
        ? async (name) => {
            const connection = await link.ready(Date.now() + CONTROL_LIMIT_MS);
            await createStation(connection, name, defaultStation, '', CONTROL_LIMIT_MS);
          }
        : undefined,
    );
    this.retries = new Retries(link);
  }

  async partitions(station: string, options?: { readonly patienceMs?: number }): Promise<readonly number[]> {
    return (await this.stations.view(station, options?.patienceMs)).partitions;
  }

  mayGuess(station: string): boolean {
    return !this.stations.isKnown(station);
  }

  async publish(message: OutgoingMessage, options: PublishOptions): Promise<Receipt> {
    const { station, producerName: name } = message;
    const connection = await this.link.ready(Date.now() + options.timeoutMs);
    const headers = publishHeaders(message, connection.identity.connectionId);
    const receipt = publish(this.link, this.stations, message, options, headers);
    // beside the message, once the station is known to be there: the broker would make it
    void this.stations.find(station, options.timeoutMs).then(
      () =>
        this.members.join(connection, `producer ${station} ${name}`, (on, timeoutMs) =>
          registerProducer(on, { name, station, appId: APP_ID }, timeoutMs),
        ),
      () => {},
    );
    return await receipt;
  }

  checker(options: { readonly timeoutMs: number }): Promise<(message: OutgoingMessage) => number> {
    return checkerFor(this.link, options.timeoutMs, (message) => publishHeaders(message, APP_ID));
  }

  /** The same reader for the same options. @throws MemphisError `UNSUPPORTED` for more deliveries than the broker makes */
  reader(options: ReaderOptions): Reader {
    const { station, group, binding, ackWaitMs, maxDeliveries, start, ordered } = options;
    if (binding === undefined && maxDeliveries > MAX_DELIVERIES) {
      throw new MemphisError(
        'UNSUPPORTED',
        `A Memphis broker delivers a message ${MAX_DELIVERIES} times at most; ask for no more than that.`,
        { option: 'maxMsgDeliveries', station, group },
      );
    }
    const key = JSON.stringify([station, group, binding, ackWaitMs, maxDeliveries, start, ordered]);
    let reader = this.#readers.get(key);
    if (reader === undefined) {
      reader = this.#makeReader(options);
      this.#readers.set(key, reader);
    }
    return reader;
  }

  /** Waits for registrations that are under way: without their answer they would look alive for ever. */
  close(): Promise<void> {
    return this.members.settled();
  }

  /** A stream of others on this broker is read as on any NATS server. */
  #makeReader(options: ReaderOptions): Reader {
    if (options.binding !== undefined) return new JetStreamReader(this.link, this.stations, this.retries, options);
    const group = new MemphisGroup(this.link, this.stations, this.retries, options, this.members);
    return new JetStreamReader(this.link, this.stations, this.retries, options, {
      group,
      setAside: setAsideFor(group),
    });
  }
}
