/** The producing side of any broker whose stations are streams of JetStream. */

import type { OutgoingMessage, Publisher, PublishOptions } from '../../model/broker.ts';
import type { Receipt } from '../../model/receipt.ts';
import { checkerFor, publish } from './publish.ts';
import { repeat } from './repeat.ts';
import { type Stations, streamOf } from './stations.ts';
import type { StreamBroker } from './stream-broker.ts';
import { deleteMessage } from './wire/streams.ts';

export class StreamPublisher<B extends StreamBroker<Stations>> implements Publisher {
  protected readonly broker: B;

  constructor(broker: B) {
    this.broker = broker;
  }

  mayGuess(station: string): boolean {
    return !this.broker.stations.isLooked(station);
  }

  plainPartitions(station: string): readonly number[] | undefined {
    const view = this.broker.stations.known(station);
    return view !== undefined && this.broker.schemas.isPlain(station) ? view.partitions : undefined;
  }

  publish(message: OutgoingMessage, options: PublishOptions): Promise<Receipt> {
    const stored = this.send(message, options);
    const look = this.broker.schemas.looking(message.station);
    return look === undefined ? stored : stored.finally(() => look); // nothing is under way when it is over
  }

  protected send(message: OutgoingMessage, options: PublishOptions): Promise<Receipt> {
    return publish(this.broker.link, this.broker.stations, message, options);
  }

  async checker({ timeoutMs }: { readonly timeoutMs: number }): Promise<(message: OutgoingMessage) => number> {
    return await checkerFor(this.broker.link, timeoutMs);
  }

  async takeBack({ station, partition, sequence }: Receipt, { timeoutMs }: PublishOptions): Promise<void> {
    await repeat(this.broker.link, 'take back', timeoutMs, (connection, limitMs) =>
      deleteMessage(connection, streamOf(station, partition), sequence, limitMs),
    );
  }
}
