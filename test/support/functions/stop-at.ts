/** Lets a function stop itself with SIGSTOP at an exact point; whoever tests it continues it. */

import { Socket } from 'node:net';

let wanted: string | undefined;

/** The next time that this point is reached, and not again. */
export function stopAtNext(point: string | undefined): void {
  wanted = point;
}

/** A point. The line that it writes tells that the process stands still in the next moment. */
export function stopAt(point: string): void {
  if (wanted !== point) return;
  wanted = undefined;
  process.stdout.write(`stopping ${point}\n`);
  process.kill(process.pid, 'SIGSTOP');
}

/** Points right behind the writing of something: a name for each text that is looked for. */
export function stopBehindWrites(points: Readonly<Record<string, string>>): void {
  const write = Socket.prototype.write as (...args: unknown[]) => boolean;
  Socket.prototype.write = function (this: Socket, chunk: unknown, ...rest: unknown[]) {
    const written = write.call(this, chunk, ...rest);
    for (const [point, text] of Object.entries(points)) {
      const isIt = wanted === point && chunk instanceof Uint8Array && Buffer.from(chunk).includes(text);
      if (isIt) process.nextTick(() => stopAt(point));
    }
    return written;
  } as typeof Socket.prototype.write;
}
