/** Whether processes are gone, for tests that promise to leave none. */

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** Whether a process runs. One that has ended but that nobody has waited for counts as gone. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  const status = `/proc/${pid}/status`;
  return !existsSync(status) || !/^State:\s+Z/m.test(readFileSync(status, 'utf8'));
}

/** Resolves when something is gone; fails when it is not after 5 s. */
export async function untilGone(isGone: () => boolean): Promise<void> {
  for (const deadline = Date.now() + 5_000; !isGone() && Date.now() < deadline; ) await sleep(20);
  assert.ok(isGone(), 'still there after 5 s');
}
