/** `npm run soak`: its command line, and what it says at the end. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { toLine, toTable } from '../../demo/ledger.ts';
import { exitCodes, type Running, runCommand } from '../../tools/command.ts';
import { toText } from '../support/table.ts';
import { parseSoakOptions, type SoakOptions, usage } from './options.ts';
import { type SoakResult, soak } from './run.ts';

function describe(result: SoakResult): string {
  const { account, actors, problems, brokerKills, server, node, seed, addsUp } = result;
  const table = toText({
    name: 'functions',
    caption: `The functions, on Node ${node} and ${server}, which was killed ${brokerKills} times; MB and handles from early to late.`,
    columns: [
      { key: 'invocations', title: 'invocations', digits: 0 },
      { key: 'failures', title: 'failed', digits: 0 },
      { key: 'freezes', title: 'freezes', digits: 0 },
      { key: 'faults', title: 'faults', digits: 0 },
      { key: 'heap', title: 'heap MB' },
      { key: 'rss', title: 'RSS MB' },
      { key: 'handles', title: 'sockets, timers' },
    ],
    rows: actors.map(({ name, flatness, ...numbers }) => {
      const change = (key: 'heapMb' | 'rssMb' | 'handles'): string =>
        flatness === undefined ? '-' : `${flatness.early[key].toFixed(1)} > ${flatness.late[key].toFixed(1)}`;
      const { invocations, failures, freezes, faults } = numbers;
      const counts = { invocations, failures, freezes, faults };
      return {
        subject: name,
        cells: { ...counts, heap: change('heapMb'), rss: change('rssMb'), handles: change('handles') },
      };
    }),
  });
  const lines = ['', toTable([account]), '', table, '', ...problems.map(toLine)];
  for (const { name, starts, flatness, lastError } of actors) {
    if (starts > 1) lines.push(`${name} was started ${starts} times: it crashed or ran out of time (${lastError}).`);
    for (const problem of flatness?.problems ?? []) lines.push(`${name}: ${problem}.`);
  }
  if (actors.some(({ flatness }) => flatness === undefined)) lines.push('Too short to tell whether memory grows.');
  lines.push(addsUp ? 'Every message is accounted for, and nothing grew.' : `It DOES NOT add up (seed ${seed}).`);
  return lines.join('\n');
}

async function main(options: SoakOptions, running: Running): Promise<number> {
  const folder = mkdtempSync(path.join(tmpdir(), 'memphis-serverless-soak-'));
  let keepsFolder = false;
  try {
    const result = await soak({ ...options, ...running, folder });
    running.progress.end();
    process.stdout.write(options.json ? `${JSON.stringify(result)}\n` : `${describe(result)}\n`);
    keepsFolder = !result.addsUp;
    if (keepsFolder) process.stderr.write(`What the functions wrote down is kept in ${folder}.\n`);
    return result.addsUp ? exitCodes.fine : exitCodes.failed;
  } finally {
    if (!keepsFolder) rmSync(folder, { recursive: true, force: true });
  }
}

// after a failure, what was left open must not keep us
process.exit(await runCommand({ name: 'The soak', usage, parse: parseSoakOptions, work: main }));
