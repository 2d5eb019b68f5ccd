/** SIGSTOP that has taken effect when the call returns. */

import { readdirSync, readFileSync } from 'node:fs';

const PATIENCE_MS = 200;

/**
 * Stops a process, or (below 0) a process group. The system stops each thread at its next step only; where it tells
 * how far it got (Linux), this waits for the last one, a moment at most.
 *
 * @throws what `process.kill` throws
 */
export function suspend(pid: number): void {
  process.kill(pid, 'SIGSTOP');
  const pulse = new Int32Array(new SharedArrayBuffer(4));
  const deadline = performance.now() + PATIENCE_MS;
  while (!isStill(Math.abs(pid)) && performance.now() < deadline) Atomics.wait(pulse, 0, 0, 1);
}

/** Whether no thread runs any more; also when nobody tells. */
function isStill(pid: number): boolean {
  try {
    const threads = readdirSync(`/proc/${pid}/task`);
    // the state stands behind the name, which may hold anything
    return threads.every((id) => /^.*\) [TtXZ] /s.test(readFileSync(`/proc/${pid}/task/${id}/stat`, 'utf8')));
  } catch {
    return true;
  }
}
