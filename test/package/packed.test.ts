/** The package as a user installs it: packed, in an empty project, on the oldest and the newest supported line of Node. */

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { ensureNatsServer } from '../../src/testing/index.ts';

const root = join(import.meta.dirname, '../..');
/** What AWS's Node runtimes are started with. */
const lambdaFlags = ['--no-experimental-require-module', '--no-experimental-detect-module'];
const exec = promisify(execFile);

/** The Node that runs this, and the oldest supported line where it is installed. */
function nodes(): (readonly [version: string, path: string])[] {
  const oldest = join(root, 'node_modules', `node22-${process.platform}-${process.arch}`, 'bin', 'node');
  const found: (readonly [string, string])[] = [[process.versions.node, process.execPath]];
  if (existsSync(oldest)) found.push(['22', oldest]);
  else test('on Node 22', { skip: 'this machine has no Node 22: npm ci brings one on Linux' });
  return found;
}

let project = '';
before(async () => {
  assert.ok(existsSync(join(root, 'dist/esm')), 'run npm run build first');
  project = await mkdtemp(join(tmpdir(), 'memphis-serverless-project-'));
  const env = { ...process.env, NODE_ENV: '' };
  const npm = (args: readonly string[], cwd: string) => exec('npm', args, { cwd, env, timeout: 120_000 });
  const { stdout } = await npm(['pack', '--json', '--ignore-scripts', '--pack-destination', project], root);
  const packed: unknown = JSON.parse(stdout);
  const [{ filename }] = (Array.isArray(packed) ? packed : Object.values(packed as object)) as [{ filename: string }];
  await writeFile(join(project, 'package.json'), '{ "name": "user", "private": true }');
  const { devDependencies: versions } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
  const libraries = ['aws-lambda-ric', '@types/node', 'ajv', 'ajv-draft-04', 'graphql', 're2js'];
  const wanted = [`./${filename}`, ...libraries.map((name) => `${name}@${versions[name]}`)];
  await npm(['install', '--prefer-offline', '--no-audit', '--no-fund', '--ignore-scripts', ...wanted], project);
});
after(() => rm(project, { recursive: true, force: true }));

const write = async (name: string, text: string): Promise<string> => {
  const file = join(project, name);
  await mkdir(join(file, '..'), { recursive: true });
  await writeFile(file, text);
  return file;
};

/** The subpaths that the installed package exports. */
async function subpaths(): Promise<string[]> {
  const manifest = await readFile(join(project, 'node_modules/memphis-serverless/package.json'), 'utf8');
  const { exports } = JSON.parse(manifest) as { readonly exports: object };
  const paths = Object.keys(exports).filter((path) => path !== './package.json');
  return paths.map((path) => path.replace('.', 'memphis-serverless'));
}

const handler = `
  import { each, withMemphis } from 'memphis-serverless/lambda';
  export const handler = withMemphis(each(async (order) => { if (order.id === 'bad') throw new Error('refused'); }),
    { station: 'orders', group: 'billing' });`;

/** What a user's test does: a real broker, the function in Lambda's own runtime client, frozen in between. */
const usersTest = `
  import assert from 'node:assert/strict';
  import { test } from 'node:test';
  import { connect } from 'memphis-serverless';
  import { makeContext, makeEvent, startBroker, startFunction } from 'memphis-serverless/testing';
  import { handler } from './handler.mjs';

  test('pushed', async () => {
    const answer = await handler(makeEvent({ messages: [{ id: 'a' }, { id: 'bad' }] }), makeContext());
    assert.deepEqual(answer.batchItemFailures.map((item) => item.itemIdentifier), ['orders$1:2']);
  });

  test('pulled in the runtime client', async () => {
    const broker = await startBroker({ binary: process.env.NATS_SERVER });
    const memphis = await connect({ servers: [broker.url] });
    await memphis.createStation('orders', { storageType: 'memory' });
    const fn = await startFunction({ handler: 'handler.handler', taskRoot: import.meta.dirname, timeoutMs: 10_000,
      env: { MEMPHIS_SERVERS: broker.url } });
    try {
      for (const id of ['a', 'b']) {
        await memphis.produce('orders', { id });
        const { payload, functionError } = await fn.invoke({});
        assert.equal(functionError, undefined, JSON.stringify(payload));
        assert.equal(payload.acked, 1);
      }
    } finally {
      await fn.stop();
      await memphis.close();
      await broker.stop();
    }
  });`;

for (const [version, node] of nodes()) {
  describe(`installed, on Node ${version}`, () => {
    test('every entry is imported as ESM and required as CommonJS with the flags that Lambda sets', async () => {
      const names = await subpaths();
      assert.ok(names.length >= 4, names.join());
      const count = (module: string) =>
        `console.log(name, Object.keys(${module}).filter((k) => !/^(default|__esModule|module.exports)$/.test(k)).length);`;
      const list = JSON.stringify(names);
      const esm = await write('all.mjs', `for (const name of ${list}) { const m = await import(name); ${count('m')} }`);
      const cjs = await write('all.cjs', `for (const name of ${list}) { const m = require(name); ${count('m')} }`);
      const [fromEsm, fromCjs] = await Promise.all(
        [esm, cjs].map((file) => exec(node, [...lambdaFlags, file], { cwd: project })),
      );
      assert.equal(fromEsm?.stdout, fromCjs?.stdout);
      assert.equal(fromEsm?.stdout.trim().split('\n').length, names.length);
      assert.doesNotMatch(fromEsm?.stdout ?? '', / 0$/m);
    });

    test('the command is there, and compiles a schema that a bundle can hold', async () => {
      await write('order.json', '{"type":"object","required":["id"]}');
      const bin = join(project, 'node_modules/memphis-serverless/dist/esm/cli/bin.js');
      const { stdout } = await exec(node, [bin, 'schema', 'compile', 'order.json'], { cwd: project });
      await write('order.schema.mjs', stdout);
      const file = await write(
        'read.mjs',
        `import order from './order.schema.mjs';
        const schema = await order.open(undefined);
        console.log(JSON.stringify(schema.decode(new TextEncoder().encode('{"id":1}'))));`,
      );
      assert.equal((await exec(node, [...lambdaFlags, file], { cwd: project })).stdout, '{"id":1}\n');
    });

    test("a user's test with the testing kit passes, the bundle of its function too", async () => {
      await write('handler.mjs', handler);
      const file = await write('user.test.mjs', usersTest);
      const env = { ...process.env, NATS_SERVER: await ensureNatsServer(), NODE_TEST_CONTEXT: undefined };
      const run = await exec(node, ['--test', '--test-reporter=tap', file], {
        cwd: project,
        env,
        timeout: 60_000,
      }).catch((error: { stdout?: string }) => assert.fail(error.stdout ?? String(error)));
      assert.match(run.stdout, /^# pass 2$/m);
    });

    test('a bundled function of CommonJS runs under those flags, and holds nothing that it did not ask for', async () => {
      const entry = await write('handler.mjs', handler);
      const { metafile } = await build({
        entryPoints: [entry],
        outfile: join(project, 'bundle', 'index.cjs'),
        bundle: true,
        minify: true,
        platform: 'node',
        target: 'node22',
        format: 'cjs',
        metafile: true,
        external: ['@aws-sdk/*'],
        logLevel: 'error',
      });
      const [output] = Object.values(metafile.outputs);
      const inside = Object.entries(output?.inputs ?? {}).filter(([, { bytesInOutput }]) => bytesInOutput > 0);
      const unwanted = inside.filter(([path]) => /\/(poller|testing|middy)\/|admin\.js|client\/client\.js/.test(path));
      assert.deepEqual(unwanted, []);
      const caller = await write(
        'call.cjs',
        `const { handler } = require('./bundle/index.cjs');
         const { makeContext, makeEvent } = require('memphis-serverless/testing');
         handler(makeEvent({ messages: [{ id: 'a' }] }), makeContext()).then((answer) => console.log(JSON.stringify(answer)));`,
      );
      const { stdout } = await exec(node, [...lambdaFlags, caller], { cwd: project });
      assert.deepEqual(JSON.parse(stdout), { batchItemFailures: [] });
    });
  });
}

test('the packed types hold in a strict project, as ESM and as CommonJS', async () => {
  const names = await subpaths();
  const source = names.map(
    (name, index) => `import * as m${index} from '${name}'; export const n${index} = Object.keys(m${index});`,
  );
  const files = [await write('types.mts', source.join('\n')), await write('types.cts', source.join('\n'))];
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
  await exec(join(root, 'node_modules/.bin/tsc'), [...flags, ...files], { cwd: project }).catch(
    (error: { stdout?: string }) => assert.fail(error.stdout ?? String(error)),
  );
});

test('the package carries neither tests, tools nor a Node', async () => {
  const top = await readdir(join(project, 'node_modules/memphis-serverless'));
  const expected = ['CHANGELOG.md', 'LICENSE', 'README.md', 'dist', 'docs', 'package.json', 'src'];
  assert.deepEqual(top.sort(), expected);
  assert.ok(!existsSync(join(project, 'node_modules/.bin/node')));
});
