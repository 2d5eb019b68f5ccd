/** A process that uses a link whenever it reads a line, and tells what that cost. */

import { createInterface } from 'node:readline';
import { makeLink } from '../../src/connection/open.ts';
import { connectOptions } from '../../src/model/options/connect.ts';
import { resolveOptions } from '../../src/model/resolve-options.ts';

const link = makeLink(resolveOptions('connect', connectOptions, { servers: [process.env.SERVER] }));
let last = await link.ready(Date.now() + 5_000);
await last.flush(1_000);
console.log('open');
for await (const _ of createInterface({ input: process.stdin })) {
  const startedAt = performance.now();
  const next = await link.ready(Date.now() + 5_000);
  const tookMs = performance.now() - startedAt;
  await next.flush(1_000);
  console.log(JSON.stringify({ tookMs, isSame: next === last }));
  last = next;
}
await link.close();
