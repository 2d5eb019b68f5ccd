/** For functions that are only handed their messages: what a bundle without a driver cannot do (docs/cold-start.md). */

import { MemphisError } from './errors.ts';

/** @param where what was called */
export function withoutDriver(where: string): MemphisError {
  const words =
    'bundled without a driver (MEMPHIS_DRIVER=none), this function takes the batches of a poller and nothing else.';
  return new MemphisError('UNSUPPORTED', `${where}: ${words}`);
}
