/** The soak, shortened: random freezes, faults and a broker that is killed, at load, and the accounts add up. */

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { parseSoakOptions } from '../../bench/soak/options.ts';
import type { SoakResult } from '../../bench/soak/run.ts';
import { UsageError } from '../../tools/command.ts';

const main = join(import.meta.dirname, '../../bench/soak/main.ts');

test('half a minute of soaking loses nothing, and leaves memory and handles as they were', async (t) => {
  const args = ['--conditions=@memphis-serverless/source', main, '--minutes', '0.5', '--seed', '7', '--json'];
  const run = promisify(execFile)(process.execPath, args, { timeout: 200_000, maxBuffer: 1e8 });
  const { stdout, stderr } = await run.catch((error: { readonly stdout: string; readonly stderr: string }) => error);
  assert.notEqual(stdout, '', stderr);
  const { account, actors, problems, brokerKills } = JSON.parse(stdout) as SoakResult;
  const freezes = actors.reduce((sum, actor) => sum + actor.freezes, 0);
  t.diagnostic(`${account.sent} sent, ${account.workedTwice} worked twice, ${freezes} freezes, ${brokerKills} kills`);
  assert.deepEqual(problems, []);
  assert.ok(account.addsUp, stdout);
  assert.equal(account.sent, account.acked + account.deadLettered);
  assert.ok(account.sent > 0 && freezes > 0, 'nothing happened');
  for (const { name, starts, flatness, lastError } of actors) {
    assert.equal(starts, 1, `${name} was started anew: ${lastError}`);
    // what the system counts as resident is settled after longer than this
    assert.deepEqual(flatness?.problems.filter((problem) => !problem.startsWith('RSS')) ?? [], [], name);
  }
});

test('a wrong command line is refused with a sentence', () => {
  for (const args of [
    ['--broker', 'x'],
    ['--minutes', '0'],
    ['--minutes', 'x'],
    ['--seed', '-1'],
    ['--seed', '1.5'],
    ['--restart', 'true'],
    ['--what'],
    ['x'],
  ]) {
    assert.throws(() => parseSoakOptions(args), UsageError, args.join(' '));
  }
});
