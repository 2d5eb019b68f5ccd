/** The consuming side of a Memphis broker: groups have rows there, and dead letters of the broker's own kind. */

import type { ReaderOptions } from '../../model/broker.ts';
import { MemphisError } from '../../model/errors.ts';
import { JetStreamReader } from '../jetstream/reader.ts';
import { onlyReaders, StreamReaders } from '../jetstream/readers.ts';
import type { MemphisBroker } from './broker.ts';
import { setAside } from './dead-letters.ts';
import { MemphisGroup } from './group.ts';
import { MAX_DELIVERIES } from './limits.ts';

class MemphisReaders extends StreamReaders<MemphisBroker> {
  /** @throws MemphisError `UNSUPPORTED` for more deliveries than the broker makes */
  override reader(options: ReaderOptions): JetStreamReader {
    const { station, group, binding, maxDeliveries } = options;
    if (binding !== undefined || maxDeliveries <= MAX_DELIVERIES) return super.reader(options);
    throw new MemphisError(
      'UNSUPPORTED',
      `A Memphis broker delivers a message ${MAX_DELIVERIES} times at most; ask for no more than that.`,
      { option: 'maxMsgDeliveries', station, group },
    );
  }

  /** A stream of others on this broker is read as on any NATS server. */
  protected override make(options: ReaderOptions): JetStreamReader {
    const { broker, retries } = this;
    if (options.binding !== undefined) return super.make(options);
    const group = new MemphisGroup(broker, retries, options);
    return new JetStreamReader(broker.link, broker.stations, retries, options, {
      group,
      setAside: (...given) => setAside(group, ...given),
      schemas: () => broker.schemas, // others may answer by and by
    });
  }
}

/** The readers of a broker. No I/O. */
export function memphisReadersOf(broker: MemphisBroker): StreamReaders {
  return onlyReaders(broker, (own) => new MemphisReaders(own));
}
