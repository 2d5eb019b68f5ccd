/**
 * The floor after a freeze: what an ideal client does with a connection of which nobody knows whether it still lives. It
 * asks (PING), goes on when it is answered, and dials beside it when the answer is late; whoever answers first is used.
 */

import type { Floor } from './session.ts';

const SILENT_MS = 1_000;
const LATE_MS = 8;

let current: Floor | undefined;
let usedAt = 0;
let roundTripMs = 0;

/** A session that has just answered, or was used a moment ago. */
export async function openSession(dial: () => Floor): Promise<Floor> {
  const old = current;
  let session: Floor;
  if (old === undefined || old.hasEnded) session = dial();
  else if (Date.now() - usedAt > SILENT_MS) session = await firstToAnswer(old, dial);
  else session = old;
  current = session;
  return session;
}

/** Takes the time of a round trip, and when it was. */
export async function flush(session: Floor): Promise<void> {
  const start = performance.now();
  await session.flush();
  roundTripMs = performance.now() - start;
  usedAt = Date.now();
}

function firstToAnswer(old: Floor, dial: () => Floor): Promise<Floor> {
  return new Promise((resolve, reject) => {
    let fresh: Floor | undefined;
    const dialBeside = (): void => {
      if (fresh !== undefined) return;
      const session = dial();
      fresh = session;
      session.flush().then(() => {
        old.close();
        resolve(session);
      }, reject);
    };
    const timer = setTimeout(dialBeside, Math.max(LATE_MS, 3 * roundTripMs));
    old.flush().then(
      () => {
        clearTimeout(timer);
        fresh?.close();
        resolve(old);
      },
      () => {
        clearTimeout(timer);
        dialBeside();
      },
    );
  });
}
