/** The command that runs tests: what fails gets one second chance, alone, and is named. */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
// @ts-expect-error plain JavaScript, as all that runs before set-up is done
import { runTests } from '../../tools/run-tests.mjs';

/** Runs the command on a project with such test files. Each test counts its runs in a file of its name. */
async function runOn(...files: readonly string[]): Promise<{ code: number; runs: (name: string) => Promise<number> }> {
  const top = await mkdtemp(path.join(tmpdir(), 'memphis-serverless-run-tests-'));
  await mkdir(path.join(top, 'test'));
  const lines = [
    "import { test } from 'node:test';",
    "import { existsSync, readFileSync, writeFileSync } from 'node:fs';",
    'const count = (name) => {',
    "  const before = existsSync(name) ? Number(readFileSync(name, 'utf8')) : 0;",
    '  writeFileSync(name, String(before + 1));',
    '  return before;',
    '};',
  ];
  const writing = files.map((tests, index) =>
    writeFile(path.join(top, 'test', `${index}.test.ts`), [...lines, tests].join('\n')),
  );
  await Promise.all(writing);
  const node = (args: readonly string[]): Promise<number> => {
    const { NODE_TEST_CONTEXT: _, ...env } = process.env;
    const child = spawn(process.execPath, args, { cwd: top, stdio: 'ignore', env });
    return new Promise((resolve) => child.once('exit', (code) => resolve(code ?? 1)));
  };
  const code = await runTests({ top, args: [], node }, 'all', () => {});
  const runs = async (name: string) => Number(await readFile(path.join(top, name), 'utf8'));
  after.push(() => rm(top, { recursive: true }));
  return { code, runs };
}

const after: (() => Promise<void>)[] = [];
const remembers = process.allowedNodeEnvironmentFlags.has('--test-rerun-failures');

test('what passes is run once', async () => {
  const { code, runs } = await runOn("test('good', () => { count('good'); });");
  assert.equal(code, 0);
  assert.equal(await runs('good'), 1);
});

test('what fails once passes at its second chance, and nothing else is run again', { skip: !remembers }, async () => {
  const { code, runs } = await runOn(`
    test('good', () => { count('good'); });
    test('unsteady', () => { if (count('unsteady') === 0) throw new Error('no luck'); });
  `);
  assert.equal(code, 0);
  assert.deepEqual([await runs('good'), await runs('unsteady')], [1, 2]);
});

test('what fails twice has failed', { skip: !remembers }, async () => {
  const { code, runs } = await runOn("test('bad', () => { count('bad'); throw new Error('always'); });");
  assert.equal(code, 1);
  assert.equal(await runs('bad'), 2);
});

/** Tests that have no luck at first. */
const unlucky = (...names: readonly string[]): string => `
  for (const name of ${JSON.stringify(names)}) test(name, () => { if (count(name) === 0) throw new Error('no luck'); });
`;

test('all that one file has left may fail with its broker', { skip: !remembers }, async () => {
  const { code, runs } = await runOn(unlucky('a', 'b', 'c', 'd', 'e', 'f'), unlucky('g'));
  assert.equal(code, 0);
  assert.deepEqual([await runs('a'), await runs('g')], [2, 2]);
});

test('many failures in many files are no bad luck: no second chance', async () => {
  const { code, runs } = await runOn(unlucky('a', 'b', 'c'), unlucky('d'), unlucky('e'), unlucky('f'));
  assert.equal(code, 1);
  assert.equal(await runs('a'), 1);
});

test.after(async () => {
  for (const end of after) await end();
});
