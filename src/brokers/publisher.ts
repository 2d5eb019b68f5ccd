/** What a broker produces with. A module of its own, since functions that only consume hold nothing of it. */

import type { Broker, Publisher, WholeBroker } from '../model/broker.ts';
import type { JetStreamBroker } from './jetstream/broker.ts';
import { StreamPublisher } from './jetstream/publisher.ts';
import type { MemphisBroker } from './memphis/broker.ts';
import { MemphisPublisher } from './memphis/publisher.ts';

const made = new WeakMap<Broker, Publisher>();

/** The producing side of a driver. No I/O. */
export function publisherOf(broker: Broker): Publisher {
  let publisher = made.get(broker);
  if (publisher === undefined) {
    publisher = make(broker);
    made.set(broker, publisher);
  }
  return publisher;
}

function make(broker: Broker): Publisher {
  if ('publish' in broker) return broker as WholeBroker; // a test's
  return process.env.MEMPHIS_DRIVER !== 'jetstream' && broker.kind === 'memphis'
    ? new MemphisPublisher(broker as MemphisBroker)
    : new StreamPublisher(broker as JetStreamBroker);
}
