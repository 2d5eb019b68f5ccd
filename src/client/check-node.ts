/** Refuses a Node that is too old, in words: it lacks what is used here, and would say so in a way that helps nobody. */

import { MemphisError } from '../model/errors.ts';

/** Told by what came with Node 22. @throws MemphisError `UNSUPPORTED` */
export function checkNode(): void {
  if (Promise.withResolvers === undefined) refuse();
}

function refuse(): never {
  throw new MemphisError('UNSUPPORTED', `memphis-serverless needs Node 22.12 or later; this is ${process.version}.`);
}
