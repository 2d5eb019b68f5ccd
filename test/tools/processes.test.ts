/** The tools' runner of processes: exit codes, signals, and that nothing stays behind. */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { isAlive, untilGone } from '../support/is-alive.ts';

const runner = new URL('../../tools/processes.mjs', import.meta.url).href;

/** A process that runs `sh -c script` through the runner and exits with its code; stdout is the script's. */
function start(script: string) {
  const source = `
    import { makeRunner } from ${JSON.stringify(runner)};
    const runner = makeRunner();
    runner.watchSignals();
    const { code } = await runner.run('/bin/sh', ['-c', ${JSON.stringify(script)}]);
    process.exitCode = runner.signalCode() ?? code;`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', source], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return { child, lines: createInterface(child.stdout), exit: once(child, 'exit') };
}

test('ends with the exit code of what it ran', async () => {
  assert.deepEqual(await start('exit 3').exit, [3, null]);
});

test('hands over what a program wrote, when that is asked for', async () => {
  const source = `
    import { makeRunner } from ${JSON.stringify(runner)};
    const { code, output } = await makeRunner().run('/bin/sh', ['-c', 'echo yes; exit 4'], { capture: true });
    console.log(JSON.stringify({ code, output }));`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', source], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = await once(createInterface(child.stdout), 'line');
  assert.deepEqual(JSON.parse(String(line)), { code: 4, output: 'yes\n' });
});

test('kills what a program left behind', async () => {
  const { lines, exit } = start('sleep 60 & echo $!');
  const [pid] = await once(lines, 'line');
  assert.deepEqual(await exit, [0, null]);
  await untilGone(() => !isAlive(Number(pid)));
});

test('passes a signal on, waits for the program to end, and tells the signal by its exit code', async () => {
  const { child, lines, exit } = start('trap "echo orderly; exit 0" TERM; sleep 60 & echo $!; wait');
  const said: string[] = [];
  lines.on('line', (line) => said.push(line));
  await once(lines, 'line');
  child.kill('SIGTERM');
  assert.deepEqual(await exit, [143, null]);
  assert.equal(said.at(-1), 'orderly');
  await untilGone(() => !isAlive(Number(said[0])));
});

test('leaves nothing behind when it is killed itself', async () => {
  const { child, lines, exit } = start('trap "" TERM; sleep 60 & echo $!; wait');
  const [pid] = await once(lines, 'line');
  child.kill('SIGKILL');
  assert.deepEqual(await exit, [null, 'SIGKILL']);
  await untilGone(() => !isAlive(Number(pid)));
});
