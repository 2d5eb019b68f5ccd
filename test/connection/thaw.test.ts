/** A process that is really frozen (SIGSTOP) for longer than an idle session is trusted, while its flow meets a fate. */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { SILENT_AFTER_MS } from '../../src/connection/liveness.ts';
import { startBroker } from '../../src/testing/start-broker.ts';
import { startProxy, type TestProxy } from '../support/proxy.ts';

const program = join(import.meta.dirname, '../support/link-user.ts');

interface Use {
  readonly tookMs: number;
  readonly isSame: boolean;
  readonly dials: number;
}

async function freezeAndUse(trouble: (proxy: TestProxy) => void): Promise<Use> {
  await using broker = await startBroker();
  await using proxy = await startProxy(broker.port);
  const child = spawn(process.execPath, ['--conditions=@memphis-serverless/source', program], {
    env: { ...process.env, SERVER: proxy.url },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  try {
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    assert.equal((await lines.next()).value, 'open');
    const before = proxy.accepted();
    child.kill('SIGSTOP');
    trouble(proxy);
    await sleep(SILENT_AFTER_MS + 500);
    child.kill('SIGCONT');
    child.stdin.write('use\n');
    const use = JSON.parse((await lines.next()).value as string) as Omit<Use, 'dials'>;
    return { ...use, dials: proxy.accepted() - before };
  } finally {
    child.stdin.end();
    child.kill('SIGCONT');
    if (child.exitCode === null) await once(child, 'exit');
  }
}

describe('after a freeze', { concurrency: true }, () => {
  test('a flow that is as it was is used', async () => {
    const { isSame, dials } = await freezeAndUse(() => {});
    // on a busy machine its answer may be late enough for a dial beside it, and that may come first
    assert.ok(isSame ? dials <= 1 : dials === 1, `${dials} dials`);
  });
  for (const [fate, trouble] of [
    ['that was dropped without a word', (proxy: TestProxy) => proxy.swallow()],
    ['that the server ended', (proxy: TestProxy) => proxy.end()],
    ['that was reset', (proxy: TestProxy) => proxy.reset()],
  ] as const) {
    test(`a flow ${fate} is replaced by one dial, and nobody waits for a time limit`, async (t) => {
      const { tookMs, isSame, dials } = await freezeAndUse(trouble);
      assert.deepEqual({ isSame, dials }, { isSame: false, dials: 1 });
      t.diagnostic(`took ${Math.round(tookMs)} ms`); // liveness.test.ts is exact about it
      assert.ok(tookMs < 1_000, `took ${Math.round(tookMs)} ms`);
    });
  }
});
