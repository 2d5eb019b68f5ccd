/** A process that owns a function, tells about it in one line, and then waits to be killed, or forgets it and ends. */

import { join } from 'node:path';
import { startFunction } from '../../src/testing/index.ts';

const taskRoot = join(import.meta.dirname, 'functions');
const owned = await startFunction({ handler: 'basic.handler', taskRoot });
await owned.invoke();
process.stdout.write(`${JSON.stringify({ pid: owned.pid })}\n`);
if (process.argv[2] === 'wait') setInterval(() => {}, 1_000);
