/** Runs the snippets of README.md, "The client", as programs of their own. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { connect } from '../../src/index.ts';
import { ensureNatsServer, startBroker } from '../../src/testing/index.ts';

/** What a snippet prints; it must end by itself. */
function run(snippet: string, url: string): string {
  const file = join(import.meta.dirname, '../docs/snippets', snippet);
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--conditions=@memphis-serverless/source', file], {
    encoding: 'utf8',
    timeout: 20_000,
    env: { ...process.env, MEMPHIS_SERVERS: url },
  });
  assert.equal(status, 0, stderr);
  return stdout;
}

test('the snippet of the client stores a message, fetches it, and ends by itself', async () => {
  await using broker = await startBroker({ binary: await ensureNatsServer() });
  assert.match(run('client.ts', broker.url), /^[12] 1 false\na-1 1\n$/);
});

test('the snippet of producing stores everything, in both stations too', async () => {
  await using broker = await startBroker({ binary: await ensureNatsServer() });
  const memphis = await connect({ servers: [broker.url] });
  for (const name of ['orders', 'audit']) await memphis.createStation(name, { storageType: 'memory' });
  assert.equal(run('producing.ts', broker.url), '10000 stored\norders true\naudit true\n');
  await memphis.close();
});

test('the snippet of dead letters describes the station, lists them, drops one and puts the other back', async () => {
  await using broker = await startBroker({ binary: await ensureNatsServer() });
  const memphis = await connect({ servers: [broker.url] });
  await memphis.createStation('orders', { storageType: 'memory' });
  for (const id of ['a', 'b', 'c']) await memphis.produce('orders', { id });
  const options = { group: 'billing', batchSize: 2, batchMaxWaitMs: 0 };
  for (const message of await memphis.fetchMessages('orders', options)) await message.deadLetter('stolen');
  const printed = run('dead-letters.ts', broker.url);
  assert.deepEqual(printed.split('\n'), [
    '3 billing 1 2',
    "1 orders$1:1 stolen { id: 'a' }",
    "2 orders$1:2 stolen { id: 'b' }",
    '2 redriven',
    '',
  ]);
  await memphis.close();
});

test('the snippet of schemas has one message refused, with its path, and set aside', async () => {
  await using broker = await startBroker({ binary: await ensureNatsServer() });
  assert.equal(run('schemas.ts', broker.url), "[ { path: [ 'total' ], message: 'must be integer' } ]\n");
  const memphis = await connect({ servers: [broker.url] });
  assert.equal((await memphis.describeStation('orders')).messages, 1);
  assert.equal(await memphis.deadLetters('orders').count(), 1);
  await memphis.close();
});
