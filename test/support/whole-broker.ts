/** A driver in one piece: what the broker contract works on. */

import { publisherOf } from '../../src/brokers/publisher.ts';
import type { Broker, Publisher, WholeBroker } from '../../src/model/broker.ts';

/** The same driver, its producing side beside the rest. */
export function whole<B extends Broker>(broker: B): B & WholeBroker {
  const publisher = publisherOf(broker);
  const names = ['mayGuess', 'plainPartitions', 'publish', 'checker', 'endProducer', 'takeBack'] as const;
  const side: Partial<Record<keyof Publisher, unknown>> = {};
  for (const name of names) side[name] = publisher[name]?.bind(publisher);
  return Object.assign(broker, side as unknown as Publisher);
}
