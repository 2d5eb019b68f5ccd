/**
 * Runs test files, and what fails once more, alone. Tests of servers that are killed on a shared machine may meet a
 * machine that stood still for longer than any patience; a fault of ours fails twice. What needed its second chance is named.
 */

import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { chooseTests } from './choose-tests.mjs';
import { SOURCE } from './source.mjs';

/** So many failures are no bad luck, unless one bad luck is behind them: a broker that ends fails all that its file has left. */
const MAX_TESTS = 5;
const MAX_FILES = 3;
const REMEMBER = '--test-rerun-failures';
const LISTER = fileURLToPath(new URL('./list-failures.mjs', import.meta.url));

/** Two files at a time in the first run. */
export async function runTests(job, which, say = console.log) {
  const { files, flags } = await chooseTests(job.top, which, job.args);
  if (files.length === 0) throw new Error(`There is no test file for: ${[which, ...job.args].join(' ')}`);
  const notes = await mkdtemp(path.join(tmpdir(), 'memphis-serverless-tests-'));
  const list = path.join(notes, 'failures');
  // Node 22 cannot remember what has passed
  const memory = process.allowedNodeEnvironmentFlags.has(REMEMBER) ? [`${REMEMBER}=${path.join(notes, 'passed')}`] : [];
  const run = (concurrency) =>
    job.node([
      SOURCE,
      '--test',
      `--test-concurrency=${concurrency}`,
      '--test-timeout=300000', // for a single test
      '--test-reporter=spec',
      '--test-reporter-destination=stdout',
      `--test-reporter=${LISTER}`,
      `--test-reporter-destination=${list}`,
      ...memory,
      ...flags,
      ...files,
    ]);
  try {
    const code = await run(2);
    const failed = code === 0 ? [] : await namesIn(list);
    const isBadLuck = failed.length <= MAX_TESTS || new Set(failed.map(fileOf)).size <= MAX_FILES;
    if (memory.length === 0 || failed.length === 0 || !isBadLuck) return code;
    say(`\n== ${failed.length} failed; what failed is run once more, alone:\n   ${failed.join('\n   ')}\n`);
    const second = await run(1);
    if (second === 0) say(`\n== passed, but unsteady (failed at first):\n   ${failed.join('\n   ')}`);
    return second;
  } finally {
    await rm(notes, { recursive: true, force: true });
  }
}

/** A line of the list ends with the file in brackets. */
const fileOf = (line) => line.slice(line.lastIndexOf('('));

async function namesIn(file) {
  const text = await readFile(file, 'utf8').catch(() => '');
  return text.split('\n').filter((line) => line !== '');
}
