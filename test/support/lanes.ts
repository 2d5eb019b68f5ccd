/** Lanes for tests of what hangs on them. */

import type { Lane } from '../../src/brokers/jetstream/lane.ts';

/** A lane as a durable of our own gives it. */
export function makeLane(place: Pick<Lane, 'stream' | 'durable' | 'partition'> & Partial<Lane>): Lane {
  return { isRetry: false, keepsSettled: false, ackWaitMs: 30_000, maxDeliver: -1, maxAckPending: -1, ...place };
}
