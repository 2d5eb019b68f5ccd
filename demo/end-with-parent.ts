/** Loaded into the process that runs the functions: it ends when the demo does, also when that was killed. */

import { isMainThread } from 'node:worker_threads';

if (isMainThread && process.channel !== undefined) {
  process.on('disconnect', () => process.exit(0));
  process.channel?.unref(); // listening for that must keep nobody here
}
