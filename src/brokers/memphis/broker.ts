/** The data side of a Memphis broker: JetStream underneath, with the broker's own names, rows and dead letters. */

import type { Link } from '../../connection/link.ts';
import type { Connection, HeaderLines } from '../../connection/port.ts';
import type { OutgoingMessage, PublishOptions, Reader, ReaderOptions } from '../../model/broker.ts';
import { MemphisError } from '../../model/errors.ts';
import type { Receipt } from '../../model/receipt.ts';
import { defaultStation } from '../../model/station.ts';
import { checkerFor, publish } from '../jetstream/publish.ts';
import { type FindLookUp, StreamBroker } from '../jetstream/stream-broker.ts';
import { APP_ID } from './identity.ts';
import { CONTROL_LIMIT_MS, MAX_DELIVERIES } from './limits.ts';
import { makeReader } from './make-reader.ts';
import { Members } from './members.ts';
import { publishLines } from './publish-headers.ts';
import { MemphisSchemaNames } from './schema-names.ts';
import { MemphisStations } from './stations.ts';
import { destroyProducer } from './wire/member-destruction.ts';
import { registerProducer } from './wire/producer-creation.ts';
import { createStation } from './wire/station-creation.ts';

/** How long taking a producer out of the lists may take. */
const END_LIMIT_MS = 2_000;

export class MemphisBroker extends StreamBroker<MemphisStations> {
  readonly kind = 'memphis';
  readonly members = new Members();

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
    super(link, stations, new MemphisSchemaNames(link, (station) => this.schemaOf(station)), lookUp);
  }

  protected override send(message: OutgoingMessage, options: PublishOptions): Promise<Receipt> {
    const connection = this.link.atHand;
    if (connection !== undefined) return this.#sendOn(connection, message, options);
    return this.link.ready(Date.now() + options.timeoutMs).then((opened) => this.#sendOn(opened, message, options));
  }

  #sendOn(connection: Connection, message: OutgoingMessage, options: PublishOptions): Promise<Receipt> {
    const { station } = message;
    const linesOf = (): HeaderLines => publishLines(message, connection.identity.connectionId);
    const stored = publish(this.link, this.stations, message, options, linesOf);
    // beside the message, once the station is known to be there: the broker would make it
    if (this.stations.known(station) !== undefined) this.#join(connection, message);
    else {
      const join = (): void => this.#join(connection, message);
      void this.stations.find(station, options.timeoutMs).then(join, () => {});
    }
    return stored;
  }

  /** Puts a producer into the broker's lists, once a connection. */
  #join(connection: Connection, { station, producerName: name }: OutgoingMessage): void {
    const key = `producer ${station} ${name}`;
    if (this.members.joined(connection, key) !== undefined) return;
    const told = this.members.join(connection, key, async (on, timeoutMs) => {
      this.schemas.watch?.(on, station);
      const answer = await registerProducer(on, { name, station, appId: APP_ID }, timeoutMs);
      this.schemas.hear?.(station, answer);
      return answer;
    });
    this.schemas.expect?.(station, told);
  }

  async checker(options: { readonly timeoutMs: number }): Promise<(message: OutgoingMessage) => number> {
    return checkerFor(this.link, options.timeoutMs, (message) => publishLines(message, APP_ID));
  }

  /** The same reader for the same options. @throws MemphisError `UNSUPPORTED` for more deliveries than the broker makes */
  override reader(options: ReaderOptions): Reader {
    const { station, group, binding, maxDeliveries } = options;
    if (binding !== undefined || maxDeliveries <= MAX_DELIVERIES) return super.reader(options);
    throw new MemphisError(
      'UNSUPPORTED',
      `A Memphis broker delivers a message ${MAX_DELIVERIES} times at most; ask for no more than that.`,
      { option: 'maxMsgDeliveries', station, group },
    );
  }

  protected override makeReader(options: ReaderOptions): Reader {
    return makeReader(this, options);
  }

  async endProducer(station: string, name: string): Promise<void> {
    try {
      const connection = await this.link.ready(Date.now() + END_LIMIT_MS);
      const key = `producer ${station} ${name}`;
      if (this.members.joined(connection, key) === undefined) return; // this connection has no row
      await this.members.joined(connection, key);
      this.members.forget(key);
      await destroyProducer(connection, name, station, END_LIMIT_MS);
    } catch {
      // its row goes with the connection
    }
  }

  /** Waits for registrations that are under way: without their answer they would look alive for ever. */
  close(): Promise<void> {
    return this.members.settled();
  }
}
