/** The wrapper script that docs/cold-start.md shows, called as Lambda calls one: with the program and all of its arguments. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';

const script = join(import.meta.dirname, 'snippets/without-expose-gc.sh');

test('the wrapper script starts the runtime without --expose-gc, and hands on all else', () => {
  const program = 'console.log(JSON.stringify([typeof gc, process.execArgv.slice(0, 2), process.argv.slice(1)]))';
  const flags = ['--expose-gc', '--max-semi-space-size=8', '--max-old-space-size=160'];
  const words = ['index.handler', 'two words', '*', ''];
  const { stdout, status } = spawnSync(script, [process.execPath, ...flags, '-e', program, '--', ...words], {
    encoding: 'utf8',
  });
  assert.equal(status, 0);
  assert.deepEqual(JSON.parse(stdout), ['undefined', flags.slice(1), words]);
});

test('the wrapper script ends as the runtime does', () => {
  const { status } = spawnSync(script, [process.execPath, '--expose-gc', '-e', 'process.exit(7)']);
  assert.equal(status, 7);
});
