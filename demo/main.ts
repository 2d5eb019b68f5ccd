/** `npm run demo`: the main job from end to end on this machine, with a real broker, and accounts at the end. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { makeProgress } from '../tools/progress.ts';
import { toTable } from './ledger.ts';
import { type DemoOptions, parseDemoOptions, UsageError, usage } from './options.ts';
import { type Result, run } from './run.ts';

const exitCodes = { fine: 0, doesNotAddUp: 1, wrongUsage: 2, interrupted: 130 } as const;
const MAX_IDS_SHOWN = 20;

function readOptions(): DemoOptions | undefined {
  try {
    return parseDemoOptions(process.argv.slice(2));
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    process.stderr.write(`${error.message}\n\n${usage}\n`);
    return undefined;
  }
}

function describe(result: Result): string {
  const { seconds, problems, accounts, repeats, recognised } = result;
  const lines = ['', toTable(accounts), ''];
  if (repeats > 0) lines.push(`Sent again by clients: ${repeats}, of which ${recognised} had been stored already.`);
  for (const { station, what, ids } of problems) {
    const rest = ids.length > MAX_IDS_SHOWN ? ` and ${ids.length - MAX_IDS_SHOWN} more` : '';
    lines.push(`${station}, ${what}: ${ids.slice(0, MAX_IDS_SHOWN).join(' ')}${rest}`);
  }
  const verdict = problems.length === 0 ? 'Every message is accounted for' : 'The accounts DO NOT add up';
  lines.push(`${verdict}: started in ${seconds.start} s, worked ${seconds.work} s, checked in ${seconds.check} s.`);
  return lines.join('\n');
}

async function main(): Promise<number> {
  const options = readOptions();
  if (options === undefined) return exitCodes.wrongUsage;
  if (options.help) {
    process.stdout.write(`${usage}\n`);
    return exitCodes.fine;
  }
  const interrupt = new AbortController();
  const stop = (): void => interrupt.abort(new Error('interrupted'));
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const signal of signals) process.once(signal, stop); // the second one ends the process as usual
  const folder = mkdtempSync(path.join(tmpdir(), 'memphis-demo-'));
  const progress = makeProgress(options.json ? process.stderr : process.stdout);
  try {
    const result = await run({ ...options, folder, progress, signal: interrupt.signal });
    process.stdout.write(options.json ? `${JSON.stringify(result)}\n` : `${describe(result)}\n`);
    return result.problems.length === 0 ? exitCodes.fine : exitCodes.doesNotAddUp;
  } catch (error) {
    progress.end();
    if (interrupt.signal.aborted) {
      process.stderr.write('Interrupted; everything that was started is stopped.\n');
      return exitCodes.interrupted;
    }
    process.stderr.write(`The demo failed: ${error instanceof Error ? (error.stack ?? error.message) : error}\n`);
    return exitCodes.doesNotAddUp;
  } finally {
    rmSync(folder, { recursive: true, force: true });
    for (const signal of signals) process.removeListener(signal, stop);
  }
}

process.exitCode = await main();
