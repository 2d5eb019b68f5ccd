/** Puts a broker of a test in the place of all others, so that functions and clients as they are work on it. */

import type { Reader, ReaderOptions, WholeBroker } from '../model/broker.ts';
import { MemphisError } from '../model/errors.ts';
import { placeBroker } from '../model/placed-broker.ts';

/** Brokers in use, the newest last. */
const inUse: WholeBroker[] = [];

/** Ends the use of a broker. May be called again. */
export interface EndOfUse extends Disposable {
  (): void;
}

/**
 * From now on every `connect`, `withMemphis`, `withProducer`, `produceHandler` and poller of this process works on this
 * broker, whatever servers its options name. Of several brokers in use the last one counts.
 *
 * @param broker `makeMemoryBroker()`, or a driver of your own
 * @returns ends it
 * @throws MemphisError `INVALID_OPTION`
 * @example
 * ```ts
 * const broker = makeMemoryBroker();
 * using end = useBroker(broker); // or: after(useBroker(broker))
 * await broker.createStation('orders');
 * const summary = await handler({}, makeContext());
 * ```
 */
export function useBroker(broker: WholeBroker): EndOfUse {
  const { publish, reader } = (broker ?? {}) as Partial<WholeBroker>;
  if (typeof publish !== 'function' || typeof reader !== 'function') {
    throw new MemphisError('INVALID_OPTION', 'useBroker: give a broker, as makeMemoryBroker makes it.');
  }
  inUse.push(broker);
  placeBroker(facade);
  let isOver = false;
  const end = (): void => {
    if (!isOver) inUse.splice(inUse.lastIndexOf(broker), 1);
    isOver = true;
    if (inUse.length === 0) placeBroker(undefined);
  };
  return Object.assign(end, { [Symbol.dispose]: end });
}

function current(): WholeBroker {
  const broker = inUse.at(-1);
  if (broker !== undefined) return broker;
  throw new MemphisError('CLOSED', 'The broker that was in use here is not any more: call useBroker again.');
}

/** Looks up a reader at each use, since clients keep theirs. */
const readerOf = (options: ReaderOptions): Reader => ({
  pull: (pull) => current().reader(options).pull(pull),
});

/** One object for all brokers in use, since functions keep what they have met once. */
const facade = new Proxy({} as WholeBroker, {
  has: (_, name) => name in current(),
  get: (_, name) => {
    if (name === 'then') return undefined; // it is handed out by promises
    if (name === 'reader') return readerOf;
    const value: unknown = Reflect.get(current(), name);
    return typeof value === 'function' ? value.bind(current()) : value;
  },
});
