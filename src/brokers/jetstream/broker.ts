/** The JetStream driver's data side. Administration is in `admin.ts`, which functions never reach. */

import type { Link } from '../../connection/link.ts';
import type { Broker, OutgoingMessage, Reader, ReaderOptions, Receipt } from '../../model/broker.ts';
import { publish } from './publish.ts';
import { JetStreamReader } from './reader.ts';
import { Stations } from './stations.ts';

export class JetStreamBroker implements Broker {
  readonly kind = 'jetstream';
  readonly link: Link;
  readonly stations: Stations;

  constructor(link: Link) {
    this.link = link;
    this.stations = new Stations(link);
  }

  async partitions(station: string): Promise<readonly number[]> {
    return (await this.stations.view(station)).partitions;
  }

  publish(message: OutgoingMessage, options: { readonly timeoutMs: number }): Promise<Receipt> {
    return publish(this.link, this.stations, message, options.timeoutMs);
  }

  reader(options: ReaderOptions): Reader {
    return new JetStreamReader(this.link, this.stations, options);
  }
}
