/** What a broker consumes with. A module of its own, since functions that only produce hold nothing of it. */

import type { Broker, Readers, WholeBroker } from '../model/broker.ts';
import type { JetStreamBroker } from './jetstream/broker.ts';
import { streamReadersOf } from './jetstream/readers.ts';
import type { MemphisBroker } from './memphis/broker.ts';
import { memphisReadersOf } from './memphis/readers.ts';

/** The consuming side of a driver. No I/O. */
export function readersOf(broker: Broker): Readers {
  if ('reader' in broker) return broker as WholeBroker; // a test's
  return process.env.MEMPHIS_DRIVER !== 'jetstream' && broker.kind === 'memphis'
    ? memphisReadersOf(broker as MemphisBroker)
    : streamReadersOf(broker as JetStreamBroker);
}
