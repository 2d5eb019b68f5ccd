/**
 * A pull that is told to stop ends within a round trip, but for one that finds no way to its broker any more: its dial may take as
 * long as dials may, and nobody who stops wants to wait for that.
 */

import type { Batch } from '../model/batch.ts';

/** How long a pull may take to end: to take it back, a server has a second. */
const STOP_LIMIT_MS = 2_000;

/**
 * Waits for a pull, and not much longer than it is told to stop.
 *
 * @returns nothing where it was given up; what it brings later is given back
 * @throws what the pull throws until then
 */
export async function untilStopped(pulling: Promise<Batch>, stop: AbortSignal): Promise<Batch | undefined> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let onStop = (): void => {};
  const late = new Promise<undefined>((resolve) => {
    onStop = () => {
      timer = setTimeout(resolve, STOP_LIMIT_MS, undefined);
    };
  });
  if (stop.aborted) onStop();
  else stop.addEventListener('abort', onStop, { once: true });
  try {
    const batch = await Promise.race([pulling, late]);
    if (batch === undefined) void pulling.then(giveBack, () => {}); // whoever waited is told that it was given up
    return batch;
  } finally {
    stop.removeEventListener('abort', onStop);
    clearTimeout(timer);
  }
}

async function giveBack({ messages, settle }: Batch): Promise<void> {
  await Promise.allSettled(messages.map((message) => settle(message, { action: 'giveBack' })));
}
