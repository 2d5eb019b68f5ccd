/** Waiting for the broker: it reads what was set aside in rounds of five seconds, and makes rows of it only then (memphis-wire 6.2). */

import type { Link } from '../../connection/link.ts';
import { leftUntil, wait } from '../../connection/within.ts';
import { handInPassedOver, noticesOf } from './passed-over.ts';

/** More than a round, for what is there and for what is handed in again. */
const LIMIT_MS = 8_000;
const LOOK_EVERY_MS = 100;

/**
 * Resolves when all that was set aside before this call is a row, what the broker has passed over included. Never rejects:
 * without the right to look, and when time is over, it is taken as it is.
 */
export async function untilAdvisoriesAreRead(link: Link): Promise<void> {
  let untilMs = Date.now() + LIMIT_MS;
  try {
    const connection = await link.ready(untilMs);
    let { last } = await noticesOf(connection, leftUntil(untilMs));
    const now = await handInPassedOver(connection, leftUntil(untilMs));
    if (now > 0) {
      last = now;
      untilMs = Date.now() + LIMIT_MS;
    }
    while (Date.now() < untilMs) {
      const { first, isEmpty } = await noticesOf(connection, leftUntil(untilMs));
      if (isEmpty || first > last) return;
      await wait(LOOK_EVERY_MS);
    }
  } catch {
    // what is there is told
  }
}
