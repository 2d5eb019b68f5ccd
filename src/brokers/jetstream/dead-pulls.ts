/**
 * Servers before 2.10.16 must not be left with a pull that nobody listens to any more, taken back or of a killed
 * process. When the next thing to hand out is a redelivery and such pulls are all that is waiting, they count the
 * delivery, lose the message until its ack wait is over, and step back by one in the stream: its last message comes
 * once more as if it were new, also when it was acked. Measured on 2.9.10; the source has it up to 2.10.13, and up to
 * 2.10.15 without the step back. So these servers are asked again and again instead of being waited for.
 */

import { isBefore } from './server-version.ts';

/** Between two looks: what waiting costs in delay, against what it costs in requests. */
export const LOOK_EVERY_MS = 40;

/**
 * The same where requests have to have a limit of time (a Memphis broker): one that has run out is a dead pull too, until
 * the server has taken it away.
 */
export const LOOK_SHARED_EVERY_MS = 200;

/** Whether a server loses redeliveries to dead pulls, by the `version` of its INFO. */
export function losesToDeadPulls(version: string): boolean {
  return isBefore(version, 2, 10, 16);
}

/** A pause that a signal ends early. Never rejects. */
export function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const end = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal?.addEventListener('abort', end, { once: true });
  });
}
