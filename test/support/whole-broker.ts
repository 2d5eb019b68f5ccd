/** A driver in one piece: what the broker contract works on. */

import { publisherOf } from '../../src/brokers/publisher.ts';
import { readersOf } from '../../src/brokers/readers.ts';
import type { Broker, Publisher, Readers, WholeBroker } from '../../src/model/broker.ts';

/** The same driver, its sides in it. */
export function whole<B extends Broker>(broker: B): B & WholeBroker {
  const readers = readersOf(broker);
  const publisher = publisherOf(broker);
  const names = ['mayGuess', 'plainPartitions', 'publish', 'checker', 'endProducer', 'takeBack'] as const;
  const side: Partial<Record<keyof Publisher, unknown>> = {};
  for (const name of names) side[name] = publisher[name]?.bind(publisher);
  const both: Readers = { reader: (options) => readers.reader(options) };
  return Object.assign(broker, both, side as unknown as Publisher);
}
