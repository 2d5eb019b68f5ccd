/** Private members of what users never hold are plain properties in what is built; those of what they hold are not. */

import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { build } from 'esbuild';
import { functionBundle } from '../../bench/support/function-bundle.ts';
import { startBroker } from '../../src/testing/start-broker.ts';

const root = join(import.meta.dirname, '../..');

async function bundled(contents: string): Promise<string> {
  const { outputFiles } = await build({
    ...functionBundle,
    stdin: { contents, resolveDir: root, loader: 'ts' },
    write: false,
    packages: 'external',
  });
  return outputFiles[0]?.text ?? '';
}

test('no text of the whole package is taken for a private member', async () => {
  const code = await bundled(
    ['index', 'lambda/index', 'middy/index', 'poller/index']
      .map((file) => `export * from './src/${file}.ts';`)
      .join('\n'),
  );
  // names of members are shortened; what is left of them stands in a text
  assert.doesNotMatch(code, /\$\d+_[a-z]/);
});

test('neither links nor drivers have private members', async () => {
  const code = await bundled(
    `export * from './src/connection/link.ts'; export * from './src/brokers/choose.ts'; export * from './src/brokers/readers.ts';`,
  );
  assert.match(code, /class/);
  assert.doesNotMatch(code, /this\.#\w/);
});

/** What a bundle exports. */
async function load<M>(contents: string): Promise<M> {
  const code = await bundled(contents);
  const module = { exports: {} as M };
  new Function('module', 'exports', 'require', code)(module, module.exports, createRequire(import.meta.url));
  return module.exports;
}

test('clients, and what they make, show no password, printed or as JSON', async () => {
  await using broker = await startBroker({ username: 'u', password: 'a password' });
  const { connect } = await load<typeof import('../../src/index.ts')>(`export { connect } from './src/index.ts';`);
  const memphis = await connect({ servers: [broker.url], username: 'u', password: 'a password' });
  const station = await memphis.createStation('jobs', { storageType: 'memory' });
  const producer = await memphis.createProducer('jobs');
  const both = await memphis.createProducer(['jobs']);
  const consumer = await memphis.createConsumer('jobs', { group: 'g' });
  await producer.produce('a');
  const [message] = await consumer.fetch();
  for (const held of [memphis, station, producer, both, consumer, message, memphis.deadLetters('jobs')]) {
    for (const shown of [inspect(held, { depth: 20 }), JSON.stringify(held), JSON.stringify({ ...held })]) {
      assert.doesNotMatch(shown, /a password/);
    }
  }
  await message?.ack();
  await memphis.close();
});

test('a message shows its fields and nothing else', async () => {
  const { makeMessages } = await load<typeof import('../../src/batch/message.ts')>(
    `export { makeMessages } from './src/batch/message.ts';`,
  );
  const stored = {
    id: 's:1',
    station: 's',
    partition: 1,
    sequence: 1,
    deliveryCount: 1,
    timestamp: new Date(0),
    headers: {},
    data: Buffer.of(),
  };
  const [message] = makeMessages([stored], { secret: 'inside' } as never);
  assert.deepEqual(Object.keys(message ?? {}), []);
  assert.deepEqual(JSON.parse(JSON.stringify(message)), JSON.parse(JSON.stringify(stored)));
  assert.equal(inspect(message), inspect(stored));
});
