/** The consuming side of any broker whose stations are streams of JetStream. */

import type { ReaderOptions, Readers } from '../../model/broker.ts';
import type { JetStreamBroker } from './broker.ts';
import { JetStreamReader } from './reader.ts';
import { Retries } from './retries.ts';
import type { Stations } from './stations.ts';
import type { StreamBroker } from './stream-broker.ts';

export class StreamReaders<B extends StreamBroker<Stations> = StreamBroker<Stations>> implements Readers {
  readonly broker: B;
  /** What comes back later, to the groups of all readers. */
  readonly retries: Retries;
  readonly #made = new Map<string, JetStreamReader>();

  constructor(broker: B) {
    this.broker = broker;
    this.retries = new Retries(broker.link);
  }

  /** What a reader knows of its durables serves the next invocation too. */
  reader(options: ReaderOptions): JetStreamReader {
    const key = JSON.stringify(options);
    let reader = this.#made.get(key);
    if (reader === undefined) {
      reader = this.make(options);
      this.#made.set(key, reader);
    }
    return reader;
  }

  protected make(options: ReaderOptions): JetStreamReader {
    const { broker } = this;
    const schemas = () => broker.schemas; // others may answer by and by
    return new JetStreamReader(broker.link, broker.stations, this.retries, options, { schemas });
  }
}

const made = new WeakMap<object, StreamReaders>();

/** The readers of a broker, made once: they know its groups. */
export function onlyReaders<B extends StreamBroker<Stations>>(
  broker: B,
  make: (broker: B) => StreamReaders,
): StreamReaders {
  const readers = made.get(broker) ?? make(broker);
  made.set(broker, readers);
  return readers;
}

/** The readers of a broker. No I/O. */
export function streamReadersOf(broker: JetStreamBroker): StreamReaders {
  return onlyReaders(broker, (own) => new StreamReaders(own));
}
