/**
 * Loads a bundle, invokes its function once, and prints which functions ran, as ranges of characters, and which regular
 * expressions: `node ran.cjs <bundle>`.
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
  const expressions = watchExpressions(file);
  const { handler } = require(file) as { handler: Handler };
  const answer = await handler({}, makeContext(30_000));
  const { result } = await session.post('Profiler.takePreciseCoverage');
  const url = pathToFileURL(file).href;
  const functions = result.find((script) => script.url === url || script.url === file)?.functions ?? [];
  const ranges = functions.flatMap(({ ranges: [range] }) => (range === undefined ? [] : [range]));
  process.stdout.write(JSON.stringify({ answer, ranges, expressions: [...expressions] }), () => process.exit(0));
}

/** Regular expressions that a file uses from now on. */
function watchExpressions(file: string): ReadonlySet<string> {
  const seen = new Set<string>();
  const { exec } = RegExp.prototype;
  RegExp.prototype.exec = function (text) {
    // who called, behind what the language does in between; Node's own do not count
    const lines = new Error('here').stack?.split('\n') ?? [];
    if (lines.find((line) => line.includes('node:') || line.includes(file))?.includes(file)) seen.add(this.source);
    return exec.call(this, text);
  };
  return seen;
}

void main();
