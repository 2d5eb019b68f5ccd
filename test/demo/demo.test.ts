/** The demo as a user runs it: it adds up, says so, and leaves nothing behind, also when it is interrupted. */

import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';

const root = path.join(import.meta.dirname, '../..');
const LIMIT_MS = 100_000;

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

describe('the demo', () => {
  let folder = '';
  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'memphis-demo-test-'));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  function start(args: readonly string[], onStderr: (text: string, child: ChildProcess) => void = () => {}) {
    const kept = Object.entries(process.env).filter(([name]) => !/^NODE_(OPTIONS|TEST)/.test(name));
    const child = spawn(
      process.execPath,
      ['--conditions=@memphis-serverless/source', path.join(root, 'demo/main.ts'), ...args],
      // The folder for temporary files marks every process and file that the run starts or makes.
      { env: { ...Object.fromEntries(kept), TMPDIR: folder }, stdio: ['ignore', 'pipe', 'pipe'], timeout: LIMIT_MS },
    );
    const text = { stdout: '', stderr: '' };
    child.stdout.on('data', (chunk: Buffer) => {
      text.stdout += chunk;
    });
    child.stderr.on('data', (chunk: Buffer) => {
      text.stderr += chunk;
      onStderr(text.stderr, child);
    });
    return once(child, 'close').then(([code]): Ended => ({ code: code as number | null, ...text }));
  }

  /** Processes whose environment names our folder. */
  async function survivors(): Promise<string[]> {
    if (process.platform !== 'linux') return [];
    const ids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
    const marked = await Promise.all(
      ids.map(async (id) => {
        const environment = await readFile(`/proc/${id}/environ`, 'utf8').catch(() => '');
        return environment.includes(`TMPDIR=${folder}\0`) ? [id] : [];
      }),
    );
    return marked.flat();
  }

  async function assertNothingIsLeft(): Promise<void> {
    assert.deepEqual(await survivors(), []);
    assert.deepEqual(
      (await readdir(folder)).filter((name) => name.startsWith('memphis-')),
      [],
    );
  }

  it('accounts for every message and leaves nothing running', async () => {
    const { code, stdout, stderr } = await start(['--messages', '60', '--json']);
    assert.equal(code, 0, stdout + stderr);
    const result = JSON.parse(stdout) as { accounts: Record<string, unknown>[]; problems: unknown[] };
    assert.deepEqual(result.problems, []);
    const sums = result.accounts.map(({ station, sent, acked, deadLettered, refused, retried }) => {
      return { station, sent, acked, deadLettered, refused, retried };
    });
    assert.deepEqual(sums, [
      // of 60: 6 come back twice, 6 once; 3 can never be billed and are tried again, 3 are not
      { station: 'orders', sent: 61, acked: 54, deadLettered: 6, refused: 1, retried: 15 },
      { station: 'invoices', sent: 15, acked: 14, deadLettered: 1, refused: 0, retried: 2 },
    ]);
    await assertNothingIsLeft();
  });

  it('accounts for a single message too, where no station has a dead letter', async () => {
    const { code, stdout, stderr } = await start(['--messages', '1', '--json']);
    assert.equal(code, 0, stdout + stderr);
  });

  it('stops everything when it is interrupted', async () => {
    let isInterrupted = false;
    const { code, stdout, stderr } = await start(['--messages', '5000', '--json'], (text, child) => {
      if (isInterrupted || !/sent \d+/.test(text)) return;
      isInterrupted = true;
      child.kill('SIGINT');
    });
    assert.equal(code, 130, stdout + stderr);
    await assertNothingIsLeft();
  });

  it('takes everything with it when it is killed', { skip: process.platform !== 'linux' }, async () => {
    let isKilled = false;
    await start(['--messages', '5000', '--json'], (text, child) => {
      if (isKilled || !/sent \d+/.test(text)) return;
      isKilled = true;
      child.kill('SIGKILL');
    });
    assert.ok(isKilled);
    const giveUpAt = Date.now() + 10_000;
    while ((await survivors()).length > 0 && Date.now() < giveUpAt)
      await new Promise((resolve) => setTimeout(resolve, 50));
    assert.deepEqual(await survivors(), []);
  });

  it('refuses options that it does not know', async () => {
    const { code, stderr } = await start(['--mesages', '5']);
    assert.equal(code, 2);
    assert.match(stderr, /mesages/);
    assert.match(stderr, /Usage/);
  });
});
