/** A broker that a test has put in the place of all others of this process (`useBroker` in `./testing`). */

import type { Broker } from './broker.ts';

/** On `globalThis`, so that a second copy of this package in the process meets it too. */
const slot: symbol = Symbol.for('memphis-serverless.placed-broker.v1');

const holder = globalThis as unknown as Record<symbol, Broker | undefined>;

/** Nothing outside of tests. */
export function placedBroker(): Broker | undefined {
  return holder[slot];
}

/** Puts a broker in the place of all others; nothing: all are themselves again. */
export function placeBroker(broker: Broker | undefined): void {
  holder[slot] = broker;
}
