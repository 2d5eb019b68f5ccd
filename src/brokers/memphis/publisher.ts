/** The producing side of a Memphis broker: JetStream underneath, with the broker's own headers, and rows for producers. */

import type { Connection, HeaderLines } from '../../connection/port.ts';
import type { OutgoingMessage, PublishOptions } from '../../model/broker.ts';
import type { Receipt } from '../../model/receipt.ts';
import { checkerFor, publish } from '../jetstream/publish.ts';
import { StreamPublisher } from '../jetstream/publisher.ts';
import type { MemphisBroker } from './broker.ts';
import { appIdOfProcess } from './identity.ts';
import { askAs } from './looking.ts';
import { producerView } from './producer-view.ts';
import { publishLines } from './publish-headers.ts';
import { destroyProducer } from './wire/member-destruction.ts';
import { registerProducer } from './wire/producer-creation.ts';

/** How long taking a producer out of the lists may take. */
const END_LIMIT_MS = 2_000;

export class MemphisPublisher extends StreamPublisher<MemphisBroker> {
  constructor(broker: MemphisBroker) {
    super(broker);
    broker.stations.bring(producerView);
    broker.names.ask = (station, patienceMs) => askAs(broker.link, station, patienceMs);
  }

  protected override send(message: OutgoingMessage, options: PublishOptions): Promise<Receipt> {
    const { link } = this.broker;
    const connection = link.atHand;
    if (connection !== undefined) return this.#sendOn(connection, message, options);
    return link.ready(Date.now() + options.timeoutMs).then((opened) => this.#sendOn(opened, message, options));
  }

  #sendOn(connection: Connection, message: OutgoingMessage, options: PublishOptions): Promise<Receipt> {
    const { station } = message;
    const { link, stations } = this.broker;
    const linesOf = (): HeaderLines => publishLines(message, connection.identity.connectionId);
    const stored = publish(link, stations, message, options, linesOf);
    // beside the message, once the station is known to be there: the broker would make it
    if (stations.known(station) !== undefined) this.#join(connection, message);
    else {
      const join = (): void => this.#join(connection, message);
      void stations.find(station, options.timeoutMs).then(join, () => {});
    }
    return stored;
  }

  /** Puts a producer into the broker's lists, once a connection. */
  #join(connection: Connection, { station, producerName: name }: OutgoingMessage): void {
    const { broker } = this;
    const key = `producer ${station} ${name}`;
    if (broker.members.joined(connection, key) !== undefined) return;
    const told = broker.members.join(connection, key, async (on, timeoutMs) => {
      const changes = broker.schemas.watch?.(on, station);
      const answer = await registerProducer(on, { name, station }, timeoutMs);
      broker.schemas.hear?.(station, answer, changes);
      return answer;
    });
    broker.schemas.expect?.(station, told);
  }

  override async checker({ timeoutMs }: { readonly timeoutMs: number }): Promise<(message: OutgoingMessage) => number> {
    return await checkerFor(this.broker.link, timeoutMs, (message) => publishLines(message, appIdOfProcess()));
  }

  async endProducer(station: string, name: string): Promise<void> {
    try {
      const connection = await this.broker.link.ready(Date.now() + END_LIMIT_MS);
      const key = `producer ${station} ${name}`;
      if (this.broker.members.joined(connection, key) === undefined) return; // this connection has no row
      await this.broker.members.joined(connection, key);
      this.broker.members.forget(key);
      await destroyProducer(connection, name, station, END_LIMIT_MS);
    } catch {
      // its row goes with the connection
    }
  }
}
