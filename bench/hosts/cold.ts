/**
 * Loads a bundle, invokes its function once, and prints how long what took: `node cold.cjs <bundle> [import|later|pushed]`, where
 * `later` waits between the two, which does not count, and `pushed` hands it a batch. Bundled itself, and careful to load nothing before the function
 * does. An ES module (`.mjs`) is met by a loader that is up, as in Lambda.
 */

import { writeSync } from 'node:fs';
import { type Handler, makeContext, makePushedEvent } from './context.ts';

const now = (): number => {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1e3 + nanoseconds / 1e6;
};

/** Brings the loader up. A text and no literal: type checks look for files. */
const EMPTY_MODULE: string = 'data:text/javascript,';

const LATER_MS = 50;
const BATCH = 10;
const ALL_DONE = '{"batchItemFailures":[]}';

async function main(): Promise<void> {
  const [, , file = '', mode] = process.argv;
  let first: number | undefined;
  globalThis.benchFirst = () => {
    first = now();
  };
  const context = makeContext(30_000);
  const event = mode === 'pushed' ? makePushedEvent(BATCH) : {};
  const isModule = file.endsWith('.mjs');
  if (isModule) await import(EMPTY_MODULE);
  const start = now();
  const { handler } = (isModule ? await import(file) : require(file)) as { handler: Handler };
  const importMs = now() - start;
  if (mode === 'later') await new Promise((resolve) => setTimeout(resolve, LATER_MS));
  const invoked = now();
  const answer = mode === 'import' ? undefined : await handler(event, context);
  const end = now();
  if (mode === 'pushed' && (first === undefined || JSON.stringify(answer) !== ALL_DONE))
    throw new Error(`It answered ${JSON.stringify(answer)}.`);
  const sample = {
    importMs,
    firstMs: importMs + (first ?? end) - invoked,
    jobMs: importMs + end - invoked,
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
