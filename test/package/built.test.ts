/** The built package as users get it: ESM and CommonJS, with the flags that Lambda sets, and its types under strict. */

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

const root = join(import.meta.dirname, '../..');
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  readonly exports: Readonly<Record<string, string | Readonly<Record<string, unknown>>>>;
  readonly types: string;
  readonly typesVersions: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;
};
const subpaths = Object.keys(manifest.exports).filter((path) => path !== './package.json');
// AWS's Node runtimes switch require() of ES modules and syntax detection off
const lambdaFlags = ['--no-experimental-require-module', '--no-experimental-detect-module'];

let folder = '';
before(() => {
  assert.ok(existsSync(join(root, 'dist/esm')), 'run npm run build first');
  folder = mkdtempSync(join(tmpdir(), 'memphis-serverless-user-'));
  mkdirSync(join(folder, 'node_modules/@types'), { recursive: true });
  symlinkSync(root, join(folder, 'node_modules/memphis-serverless'), 'dir');
  mkdirSync(join(folder, 'node_modules/@middy'));
  for (const name of ['@types/node', '@types/aws-lambda', '@middy/core', 'middy6']) {
    symlinkSync(join(root, 'node_modules', name), join(folder, 'node_modules', name), 'dir');
  }
});
after(() => rmSync(folder, { recursive: true, force: true }));

const run = (file: string, source: string, flags: readonly string[]): string => {
  writeFileSync(join(folder, file), source);
  return execFileSync(process.execPath, [...flags, file], { cwd: folder, encoding: 'utf8' });
};

for (const subpath of subpaths) {
  const name = subpath.replace('.', 'memphis-serverless');
  test(`${name} is imported as ESM and required as CommonJS with Lambda's flags, with the same exports`, () => {
    const show =
      'process.stdout.write(JSON.stringify(Object.keys(m).filter((k) => k !== "default" && k !== "__esModule" && k !== "module.exports").sort()))';
    const esm = run('user.mjs', `import * as m from '${name}'; ${show};`, lambdaFlags);
    const cjs = run('user.cjs', `const m = require('${name}'); ${show};`, lambdaFlags);
    assert.equal(esm, cjs);
    assert.notEqual(esm, '[]');
  });

  test(`importing ${name} does nothing: no file handle, no timer, no client library`, () => {
    const source = `require('${name}');
      const loaded = Object.keys(require.cache).filter((path) => /@nats-io|@aws-sdk|@smithy/.test(path));
      process.stdout.write(JSON.stringify([loaded, process.getActiveResourcesInfo().filter((r) => !/Pipe|TTY|FS/.test(r))]));`;
    assert.equal(run('idle.cjs', source, lambdaFlags), '[[],[]]');
  });
}

test('projects whose TypeScript does not read exports (`moduleResolution: node`) find the types of every entry', () => {
  const older = Object.entries(manifest.typesVersions['*'] ?? {});
  const found = subpaths.map((subpath) => {
    if (subpath === '.') return manifest.types;
    const [pattern, [file] = []] = older.find(([key]) => join('.', subpath).startsWith(key.replace('*', ''))) ?? [];
    return file?.replace('*', join('.', subpath).slice((pattern ?? '').replace('*', '').length));
  });
  const ofCommonJs = subpaths.map((subpath) => {
    const entry = manifest.exports[subpath] as { readonly require: { readonly types: string } };
    return entry.require.types;
  });
  assert.deepEqual(found, ofCommonJs);
  for (const file of ofCommonJs) assert.ok(existsSync(join(root, file)), file);
});

test('its types show nothing that is for wrappers of this package', () => {
  const source = `import { connect } from 'memphis-serverless';
    import { createPoller } from 'memphis-serverless/poller';
    const memphis = await connect();
    const producer = await memphis.createProducer('orders');
    await producer.produceBatch(['a'], { ackWaitMs: 1_000 });
    await createPoller({ mappings: [], connection: memphis }).run();
    // @ts-expect-error
    memphis.session;
    // @ts-expect-error
    memphis.watchSchemas;
    // @ts-expect-error
    await memphis.createProducer('orders', {}, true);
    // @ts-expect-error
    producer.store;
    // @ts-expect-error
    producer.begin;
    // @ts-expect-error
    await producer.produceBatch(['a'], {}, 1_000);
    // @ts-expect-error
    createPoller({ mappings: [], connection: { isConnected: () => true } });`;
  writeFileSync(join(folder, 'hidden.mts'), source);
  compile('hidden.mts');
});

test('its types hold in a strict project, as ESM and as CommonJS', () => {
  const source = `import { connect, isMemphisError, type Message } from 'memphis-serverless';
    import { each, withMemphis, RetryLater } from 'memphis-serverless/lambda';
    interface Order { id: number }
    export const handler = withMemphis(each<Order>(async (order, { message }) => {
      const id: number = order.id;
      if (message.deliveryCount > id) throw new RetryLater({ delayMs: 5 });
    }), { station: 'orders', group: 'billing', batchSize: 100 });
    export async function main(): Promise<void> {
      const memphis = await connect({ servers: ['nats://127.0.0.1:4222'] });
      try {
        const messages: Message<Order>[] = await memphis.fetchMessages<Order>('orders', { group: 'g' });
        for (const message of messages) { const order: Order = message.value(); await message.ack(); void order; }
      } catch (error) { if (isMemphisError(error, 'TIMEOUT')) return; throw error; }
      // @ts-expect-error: there is no such option
      await connect({ sevrers: [] });
    }`;
  writeFileSync(join(folder, 'user.mts'), source);
  writeFileSync(join(folder, 'user2.cts'), source.replaceAll('await connect', 'await connect'));
  compile('user.mts', 'user2.cts');
});

test('its middlewares fit chains of Middy 6 and 7 in a strict project', () => {
  const source = `import middy7 from '@middy/core';
    import middy6 from 'middy6';
    import type { Context } from 'aws-lambda';
    import { each, type Message } from 'memphis-serverless/lambda';
    import { memphisConsumer, memphisProducer, type ProducerContext } from 'memphis-serverless/middy';
    interface Order { id: number }
    const bill = async (messages: readonly Message<Order>[], context: Context): Promise<void> => {
      for (const message of messages) { const id: number = message.value().id; void id; }
      context.getRemainingTimeInMillis();
    };
    const upload = async (event: { readonly key: string }, context: Context & ProducerContext): Promise<number> =>
      (await context.produce(event.key)).sequence;
    export const handlers = [
      middy7(bill).use(memphisConsumer({ station: 'orders', group: 'billing' })),
      middy6(bill).use(memphisConsumer({ station: 'orders', group: 'billing' })),
      middy7(each<Order>(async (order) => console.log(order.id))).use(memphisConsumer()),
      middy7().use(memphisProducer({ station: 'uploads', contextKey: 'shop' })).use(memphisConsumer()).handler(bill),
      middy7().use(memphisProducer({ station: 'uploads' })).handler(upload),
      middy6().use(memphisProducer({ station: 'uploads' })).handler(upload),
    ];
    // @ts-expect-error: one batch an invocation
    memphisConsumer({ drain: true });`;
  writeFileSync(join(folder, 'middy.mts'), source);
  // Middy's own types name packages that it does not bring
  compile('--skipLibCheck', 'middy.mts');
});

function compile(...more: readonly string[]): void {
  const tsc = join(root, 'node_modules/.bin/tsc');
  const flags = [
    '--noEmit',
    '--strict',
    '--exactOptionalPropertyTypes',
    '--module',
    'NodeNext',
    '--target',
    'ES2022',
    '--types',
    'node',
  ];
  try {
    execFileSync(tsc, [...flags, ...more], { cwd: folder, encoding: 'utf8', stdio: 'pipe' });
  } catch (error) {
    assert.fail(String((error as { stdout?: unknown }).stdout ?? error));
  }
}
