/** `npm run demo`: the main job from end to end on this machine, with a real broker, and accounts at the end. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { exitCodes, type Running, runCommand } from '../tools/command.ts';
import { toLine, toTable } from './ledger.ts';
import { type DemoOptions, parseDemoOptions, usage } from './options.ts';
import { type Result, run } from './run.ts';

function describe(result: Result): string {
  const { seconds, problems, accounts, repeats, recognised } = result;
  const lines = ['', toTable(accounts), ''];
  if (repeats > 0) lines.push(`Sent again by clients: ${repeats}, of which ${recognised} had been stored already.`);
  lines.push(...problems.map(toLine));
  const verdict = problems.length === 0 ? 'Every message is accounted for' : 'The accounts DO NOT add up';
  lines.push(`${verdict}: started in ${seconds.start} s, worked ${seconds.work} s, checked in ${seconds.check} s.`);
  return lines.join('\n');
}

async function demo(options: DemoOptions, running: Running): Promise<number> {
  const folder = mkdtempSync(path.join(tmpdir(), 'memphis-demo-'));
  try {
    const result = await run({ ...options, ...running, folder });
    process.stdout.write(options.json ? `${JSON.stringify(result)}\n` : `${describe(result)}\n`);
    return result.problems.length === 0 ? exitCodes.fine : exitCodes.failed;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

process.exitCode = await runCommand({ name: 'The demo', usage, parse: parseDemoOptions, work: demo });
