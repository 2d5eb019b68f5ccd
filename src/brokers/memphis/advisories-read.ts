/** Waiting for the broker: it reads what was set aside in rounds of five seconds, and makes rows of it only then (memphis-wire 6.2). */

import type { Link } from '../../connection/link.ts';
import { streamInfo } from '../jetstream/wire/stream-info.ts';
import { ADVISORIES } from './wire/poison-advisory.ts';

const LIMIT_MS = 8_000;
const LOOK_EVERY_MS = 100;

/**
 * Resolves when all that was set aside before this call is a row. Never rejects: without the right to look, and when time is
 * over, it is taken as it is.
 */
export async function untilAdvisoriesAreRead(link: Link): Promise<void> {
  const untilMs = Date.now() + LIMIT_MS;
  try {
    const connection = await link.ready(untilMs);
    let last: number | undefined;
    while (Date.now() < untilMs) {
      const { messages, firstSequence, lastSequence } = (await streamInfo(connection, ADVISORIES, LIMIT_MS)).state;
      last ??= lastSequence;
      if (messages === 0 || firstSequence > last) return;
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    }
  } catch {
    // what is there is told
  }
}
