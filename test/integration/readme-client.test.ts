/** Runs the snippet of README.md, "The client", as a program of its own. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { ensureNatsServer, startBroker } from '../../src/testing/index.ts';

test('the snippet of the client stores a message, fetches it, and ends by itself', async () => {
  await using broker = await startBroker({ binary: await ensureNatsServer() });
  const snippet = join(import.meta.dirname, '../docs/snippets/client.ts');
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--conditions=@memphis-serverless/source', snippet], {
    encoding: 'utf8',
    timeout: 20_000,
    env: { ...process.env, MEMPHIS_SERVERS: broker.url },
  });
  assert.equal(status, 0, stderr);
  assert.match(stdout, /^[12] 1 false\na-1 1\n$/);
});
