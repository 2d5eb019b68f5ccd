/** Which delays are parked (`retries.ts`) instead of being kept as a delayed NAK. Pure. */

import { isOrdered, type Lane } from './lane.ts';

/** A delay beyond so many times to settle is parked: until then the message would hold its delivery. */
const PARK_AFTER_ACK_WAITS = 4;
/** Where the number of messages out is limited, each delayed one keeps a fresh one away: only short delays stay. */
const PARK_LIMITED_AFTER_MS = 1_000;

/**
 * @param delayMs until the next delivery
 * @param heldMs how long ago the time to settle began
 */
export function shouldPark(lane: Lane, delayMs: number, heldMs = 0): boolean {
  if (isOrdered(lane) || lane.isShared) return false; // parked, it would be overtaken, or not be found
  // it may have been handed to somebody else, who acks it: its copy would come all the same, a NAK counts for nothing then
  if (heldMs >= lane.ackWaitMs) return false;
  const parkAfterMs = PARK_AFTER_ACK_WAITS * lane.ackWaitMs;
  return delayMs > (lane.maxAckPending > 0 ? Math.min(parkAfterMs, PARK_LIMITED_AFTER_MS) : parkAfterMs);
}
