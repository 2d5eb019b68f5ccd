/** One round of a pull: a request to each lane, at the same time. Nothing of it is open when it ends. */

import type { Connection } from '../../connection/port.ts';
import { toDelivery } from './delivery.ts';
import { type Delivery, isLimited, isOrdered, type Lane } from './lane.ts';
import { HANG_LIMIT_MS, type Pull, type PullEnd, type PullRequest, startPull } from './wire/pull.ts';

/** A Memphis broker sends what is there at once; this is only the limit that a request there must have (memphis-wire 5.3). */
export const SHARED_HANG_MS = 25;
/** A round trip later there is a word of it, mostly. */
const LOOK_AFTER_MS = SHARED_HANG_MS + 75;
/** How long the broker may take over a request that does not wait. */
export const NO_WAIT_LIMIT_MS = 1_000;
/** How long behind the end of a wait the server's word of it may come. */
const LATE_MS = 100;

export interface Round {
  readonly deliveries: readonly Delivery[];
  readonly ends: readonly PullEnd[];
}

/** How many messages each lane is known to have left behind those that it gave. An ordered one hands out no more before its message is settled. */
export function pendingOf(lanes: readonly Lane[], { deliveries }: Round): number[] {
  return lanes.map((lane) => {
    if (isOrdered(lane)) return 0;
    return deliveries.findLast((delivery) => delivery.lane === lane)?.position.pending ?? 0;
  });
}

function within(limit: number | undefined = 0, wanted: number): number {
  return limit > 0 ? Math.min(wanted, Math.max(1, Math.floor(limit))) : wanted;
}

/** Beyond what its durable allows, a request is refused. */
function toRequest(lane: Lane, share: number, wantedMs: number, limitMs: number): PullRequest {
  const { maxAckPending, maxBatch, maxExpiresMs } = lane;
  const waitMs = within(maxExpiresMs, wantedMs);
  return {
    stream: lane.stream,
    durable: lane.durable,
    // a request for more than may be out stays open and is served redeliveries, delivery after delivery
    batch: within(maxBatch, within(maxAckPending, share)),
    waitMs,
    mayHang: isLimited(lane),
    hangMs: within(maxExpiresMs, lane.isShared ? SHARED_HANG_MS : HANG_LIMIT_MS),
    silenceMs: waitMs === 0 ? Math.min(NO_WAIT_LIMIT_MS, limitMs) : waitMs + LATE_MS,
    ...(lane.isShared && waitMs === 0 ? { lookAfterMs: LOOK_AFTER_MS } : {}),
  };
}

/**
 * Asks each lane with a share. A waiting request is taken back as soon as anything has come from any lane.
 *
 * @param shares how many messages to ask each lane for, by its index
 * @param waitMs 0 takes what is there
 * @param limitMs how long the broker may then take over it; a second at most
 * @param signal ends the wait; what has come by then is in the round
 */
export async function askAll(
  connection: Connection,
  station: string,
  lanes: readonly Lane[],
  shares: readonly number[],
  waitMs: number,
  limitMs: number,
  signal?: AbortSignal,
): Promise<Round> {
  const deliveries: Delivery[] = [];
  let onFirst = (): void => {};
  const pulls: Pull[] = [];
  lanes.forEach((lane, index) => {
    const share = shares[index] ?? 0;
    if (share === 0) return;
    const pull = startPull(connection, toRequest(lane, share, waitMs, limitMs), (frame) => {
      deliveries.push(toDelivery(frame, station, lane));
      // not each time: Node is told of each resolve that comes after another one
      if (deliveries.length === 1) onFirst();
    });
    pulls.push(pull);
  });
  if (waitMs > 0) {
    const ended = Promise.all(pulls.map((pull) => pull.ended));
    await Promise.race([
      ended,
      new Promise<void>((resolve) => {
        onFirst = resolve;
        signal?.addEventListener('abort', onFirst, { once: true });
        if (signal?.aborted || deliveries.length > 0) resolve();
      }),
    ]);
    signal?.removeEventListener('abort', onFirst);
    await Promise.all(pulls.map((pull) => pull.stop()));
  }
  const ends: PullEnd[] = [];
  for (const pull of pulls) ends.push(await pull.ended);
  return { deliveries, ends };
}
