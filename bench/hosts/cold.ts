/**
 * Loads a bundle, invokes its function once, and prints how long what took: `node cold.cjs <bundle> [import]`. Bundled
 * itself, and careful to load nothing before the function does.
 */

import { writeSync } from 'node:fs';
import { type Handler, makeContext } from './context.ts';

const now = (): number => {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1e3 + nanoseconds / 1e6;
};

async function main(): Promise<void> {
  const [, , file = '', mode] = process.argv;
  let first: number | undefined;
  globalThis.benchFirst = () => {
    first = now();
  };
  const context = makeContext(30_000);
  const start = now();
  const { handler } = require(file) as { handler: Handler };
  const imported = now();
  const answer = mode === 'import' ? undefined : await handler({}, context);
  const end = now();
  const sample = {
    importMs: imported - start,
    firstMs: (first ?? end) - start,
    jobMs: end - start,
    cpuMs: (process.cpuUsage().user + process.cpuUsage().system) / 1e3,
    rssMb: process.memoryUsage.rss() / 1024 ** 2,
    answer,
  };
  writeSync(1, JSON.stringify(sample));
  process.exit(0);
}

main().catch((error: unknown) => {
  writeSync(2, `${error instanceof Error ? error.stack : error}\n`);
  process.exit(1);
});
