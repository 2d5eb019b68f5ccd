/**
 * Loads a bundle, invokes its function once, and prints which functions ran, as ranges of characters: `node ran.cjs <bundle>`.
 * Those that ran while it loaded are among them.
 */

import { Session } from 'node:inspector/promises';
import { pathToFileURL } from 'node:url';
import { type Handler, makeContext } from './context.ts';

async function main(): Promise<void> {
  const [, , file = ''] = process.argv;
  const session = new Session();
  session.connect();
  await session.post('Profiler.enable');
  await session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: false });
  const { handler } = require(file) as { handler: Handler };
  const answer = await handler({}, makeContext(30_000));
  const { result } = await session.post('Profiler.takePreciseCoverage');
  const url = pathToFileURL(file).href;
  const functions = result.find((script) => script.url === url || script.url === file)?.functions ?? [];
  const ranges = functions.flatMap(({ ranges: [range] }) => (range === undefined ? [] : [range]));
  process.stdout.write(JSON.stringify({ answer, ranges }), () => process.exit(0));
}

void main();
