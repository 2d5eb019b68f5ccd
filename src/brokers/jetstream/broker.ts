/** The JetStream driver's data side. Administration is in `admin.ts`, which functions never reach. */

import type { Link } from '../../connection/link.ts';
import type { Broker, OutgoingMessage, PublishOptions, Reader, ReaderOptions } from '../../model/broker.ts';
import type { Receipt } from '../../model/receipt.ts';
import { defaultStation } from '../../model/station.ts';
import type { Retries } from './retries.ts';
import { Schemas } from './schemas.ts';
import { Stations } from './stations.ts';
import { StreamBroker } from './stream-broker.ts';

export class JetStreamBroker extends StreamBroker<Stations, Schemas> implements Broker {
  readonly kind = 'jetstream';

  constructor(link: Link, { createStationOnFirstUse = false }: { readonly createStationOnFirstUse?: boolean } = {}) {
    const make = async (name: string): Promise<void> =>
      (await import('./make-station.ts')).makeStation(link, name, defaultStation);
    const stations = new Stations(link, createStationOnFirstUse ? make : undefined);
    super(link, stations, new Schemas(link, stations));
  }

  protected override send(message: OutgoingMessage, options: PublishOptions): Promise<Receipt> {
    const { publishing, link, stations } = this;
    if (publishing !== undefined) return publishing.publish(link, stations, message, options);
    return this.loadPublishing().then(({ publish }) => publish(link, stations, message, options));
  }

  async checker(options: { readonly timeoutMs: number }): Promise<(message: OutgoingMessage) => number> {
    const { checkerFor } = await this.loadPublishing();
    return checkerFor(this.link, options.timeoutMs);
  }

  protected override async makeReader(options: ReaderOptions, retries: Retries): Promise<Reader> {
    const { JetStreamReader } = await import('./reader.ts');
    return new JetStreamReader(this.link, this.stations, retries, options, { schemas: this.schemas });
  }
}
