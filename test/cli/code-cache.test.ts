/** The command `code-cache`: what it makes runs as the bundle did, from the cache, and a Node without one says so. */

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { functionBundle } from '../../bench/support/function-bundle.ts';
import { connect } from '../../src/index.ts';
import { startBroker } from '../../src/testing/start-broker.ts';
import { startFunction } from '../../src/testing/start-function.ts';
import { run as runCommand } from '../support/command.ts';
import { serversUnderTest } from '../support/servers.ts';

const root = join(import.meta.dirname, '../..');
const [server] = serversUnderTest();
/** The oldest line of Node, where the packages of the repository bring one. */
const olderNode = join(root, `node_modules/node22-linux-${process.arch}/bin/node`);

const run = (...args: readonly string[]) => runCommand('code-cache', ...args);

/** In a process of its own, without the flags of this one. */
async function node(args: readonly string[], env: Record<string, string> = {}, program = process.execPath) {
  const { NODE_OPTIONS: _, ...rest } = process.env;
  return await promisify(execFile)(program, [...args], { env: { ...rest, ...env } });
}

describe('code-cache', () => {
  let folder = '';
  let count = 0;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'memphis-serverless-cli-'));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  /** A bundle in a folder of its own. */
  async function place(text: string, name = 'index.cjs'): Promise<{ own: string; bundle: string }> {
    const own = await mkdtemp(join(folder, `${++count}-`));
    const bundle = join(own, name);
    await writeFile(bundle, text);
    return { own, bundle };
  }

  /** Requires the bundle in another process and prints an expression of its exports. @returns what was printed, and warnings */
  async function use(bundle: string, expression: string, flags: readonly string[] = [], program?: string) {
    const host = join(folder, `host-${++count}.cjs`);
    await writeFile(
      host,
      `const bundle = require(${JSON.stringify(bundle)});\n(async () => console.log(await (${expression})))();`,
    );
    const { stdout, stderr } = await node([...flags, host], {}, program);
    return { printed: stdout.trim(), warned: stderr };
  }

  test('exports, this, __dirname, require, import() and stack traces are those of the bundle', async () => {
    const { own, bundle } = await place(
      [
        '#!/usr/bin/env node',
        "exports.a = () => 'a'; this.b = __dirname; exports.c = __filename;",
        "exports.join = require('node:path').join('x', 'y'); exports.late = () => import('./late.mjs').then((m) => m.default);",
        "exports.sums = () => [1, 2].map((n) => n + 1); exports.where = () => new Error('here').stack.split('\\n')[1];",
        "exports.name = 'Zürich €';",
      ].join('\n'),
    );
    await writeFile(join(own, 'late.mjs'), "export default 'late';");
    const expression =
      '(async () => JSON.stringify([bundle.a(), bundle.b, bundle.c, bundle.join, await bundle.late(), bundle.sums(), bundle.name, bundle.where()]))()';
    const before = JSON.parse((await use(bundle, expression)).printed);
    const { code, talk } = await run(bundle);
    assert.equal(code, 0, talk);
    const { printed, warned } = await use(bundle, expression);
    // Node's own, for import() in what it did not load itself.
    assert.doesNotMatch(warned, /MEMPHIS_CODE_CACHE/);
    const after = JSON.parse(printed);
    assert.deepEqual(after.slice(0, -1), before.slice(0, -1));
    const placeOf = (line: string) => /:(\d+:\d+)\)?$/.exec(line)?.[1];
    assert.equal(placeOf(after.at(-1)), placeOf(before.at(-1)));
    assert.match(after.at(-1), /index\.code-[0-9a-f]{12}\.js:4/);
  });

  test('the first line keeps its columns', async () => {
    const { bundle } = await place("exports.where = () => new Error('here').stack.split('\\n')[1];");
    const column = async () => /:1:(\d+)\)?$/.exec((await use(bundle, 'bundle.where()')).printed)?.[1];
    const before = await column();
    assert.ok(before !== undefined);
    await run(bundle);
    assert.equal(await column(), before);
  });

  test('what a module puts in the place of its exports', async () => {
    const { bundle } = await place('module.exports = { answer: 42 };');
    await run(bundle);
    assert.equal((await use(bundle, 'bundle.answer')).printed, '42');
  });

  test('flags that size the heap, as functions on Lambda have them, and those of Node change nothing; others of V8 pass the cache over', async () => {
    const { own, bundle } = await place('exports.a = () => 1;');
    await run(bundle);
    const heap = ['--expose-gc', '--max-semi-space-size=6', '--max_old_space_size=120'];
    const late = join(own, 'late.cjs');
    await writeFile(late, '');
    for (const flags of [
      [],
      heap,
      [
        ...heap,
        '--max-http-header-size',
        '81920',
        '--no-experimental-require-module',
        '--no-experimental-detect-module',
      ],
      [...heap, '--require', late, '--import', 'data:text/javascript,', '-C', 'some', '--unhandled-rejections=strict'],
      ['--enable-source-maps'],
    ]) {
      const { printed, warned } = await use(bundle, 'bundle.a()', flags);
      assert.deepEqual([printed, warned], ['1', ''], flags.join(' '));
    }
    for (const flag of ['--jitless', '--no-use-ic', '--interpreted-frames-native-stack']) {
      const other = await use(bundle, 'bundle.a()', [flag, '--max-old-space-size=120']);
      assert.equal(other.printed, '1');
      assert.match(other.warned, /MEMPHIS_CODE_CACHE.*passed over, since of the flag --/s);
      assert.ok(other.warned.includes(`of the flag ${flag}:`), other.warned);
    }
    const cache = (await readdir(own)).find((name) => name.endsWith('.cache')) as string;
    await writeFile(join(own, cache), 'no cache at all');
    const broken = await use(bundle, 'bundle.a()');
    assert.equal(broken.printed, '1');
    assert.match(broken.warned, /passed over, since V8 refuses it/);
    await rm(join(own, cache));
    const missing = await use(bundle, 'bundle.a()');
    assert.equal(missing.printed, '1');
    assert.match(missing.warned, /passed over, since there is none for this Node/);
  });

  test('functions come out of the cache: their source may be gone', async () => {
    const text = 'exports.outer = () => { const inner = () => 41 + 1; return inner(); };';
    const { own, bundle } = await place(text);
    await run(bundle);
    const code = (await readdir(own)).find((name) => /code-\w+\.js$/.test(name)) as string;
    // V8 looks at the size of the source alone, so this shows what was compiled.
    const source = await readFile(join(own, code), 'utf8');
    await writeFile(join(own, code), ' '.repeat(source.length));
    const { printed, warned } = await use(bundle, 'bundle.outer()');
    assert.deepEqual([printed, warned], ['42', '']);
  });

  test('source maps of the bundle are applied where they are switched on', async () => {
    const { own, bundle } = await place('');
    const source = join(own, 'orders.ts');
    await writeFile(source, `interface A {}\n\nexport function a(b: A): A {\n  throw new Error('no good');\n}\n`);
    for (const sourcemap of ['linked', 'inline'] as const) {
      await build({ entryPoints: [source], outfile: bundle, bundle: true, minify: true, format: 'cjs', sourcemap });
      await run(bundle);
      const expression = "(() => { try { bundle.a(); } catch (error) { return error.stack.split('\\n')[1]; } })()";
      const { printed, warned } = await use(bundle, expression, ['--enable-source-maps']);
      assert.equal(warned, '');
      assert.match(printed, /orders\.ts:4:9\)$/, sourcemap);
      assert.match((await use(bundle, expression)).printed, /index\.code-\w+\.js:1:/);
      if (!existsSync(olderNode)) continue;
      await run(bundle, '--node', olderNode);
      assert.match((await use(bundle, expression, ['--enable-source-maps'], olderNode)).printed, /orders\.ts:4:/);
    }
  });

  test('a cache for another Node is added to those that are there', { skip: !existsSync(olderNode) }, async () => {
    const { own, bundle } = await place('exports.a = () => 1;');
    await run(bundle);
    assert.match((await use(bundle, 'bundle.a()', [], olderNode)).warned, /there is none for this Node/);
    const { data } = await run(bundle, '--node', olderNode, '--json');
    const { caches } = JSON.parse(data) as { caches: { node: string }[] };
    assert.match(caches[0]?.node ?? '', /^v22\./);
    for (const program of [process.execPath, olderNode]) {
      for (const flags of [[], ['--max-old-space-size=120', '--expose-gc']]) {
        const { printed, warned } = await use(bundle, 'bundle.a()', flags, program);
        assert.deepEqual([printed, warned], ['1', ''], `${program} ${flags}`);
      }
    }
    assert.equal((await readdir(own)).length, 4);
  });

  test('the next build takes the place of the older one and of its caches, and of nothing else', async () => {
    const { own, bundle } = await place('exports.a = () => 1;');
    await writeFile(join(own, 'index.code-mine.js'), '');
    await run(bundle);
    const older = (await readdir(own)).filter((name) => /code-[0-9a-f]{12}/.test(name));
    assert.equal(older.length, 2);
    await writeFile(bundle, 'exports.a = () => 2;');
    const { code, data } = await run(bundle, '--json');
    assert.equal(code, 0);
    const made = JSON.parse(data);
    const names = await readdir(own);
    assert.equal(names.length, 4);
    assert.ok(names.includes('index.code-mine.js') && !names.some((name) => older.includes(name)));
    assert.equal(made.codeBytes, (await readFile(made.code)).length);
    assert.equal(made.caches[0].cacheBytes, (await readFile(made.caches[0].cache)).length);
    assert.deepEqual(await use(bundle, 'bundle.a()'), { printed: '2', warned: '' });
  });

  test('what is no CommonJS bundle stays as it was', async () => {
    for (const [text, name, words] of [
      ['export const a = 1;', 'index.js', /^INVALID_OPTION: .*no CommonJS that compiles \(SyntaxError.*--format=cjs/],
      ['export const a = 1;', 'index.mjs', /^INVALID_OPTION: .*is an ES module.*--format=cjs/],
      ['exports.a = ;', 'index.cjs', /^INVALID_OPTION: .*SyntaxError/],
    ] as const) {
      const { own, bundle } = await place(text, name);
      const { code, talk } = await run(bundle);
      assert.deepEqual([code, words.test(talk)], [1, true], talk);
      assert.deepEqual([await readdir(own), await readFile(bundle, 'utf8')], [[name], text]);
    }
    const { own, bundle } = await place('exports.a = 1;');
    const nowhere = await run(bundle, '--node', join(own, 'no-node'));
    assert.equal(nowhere.code, 1);
    assert.match(nowhere.talk, /^PROGRAM_FAILED: .*no-node makes no code cache/);
    assert.deepEqual([await readdir(own), await readFile(bundle, 'utf8')], [['index.cjs'], 'exports.a = 1;']);
    assert.match((await run(join(own, 'none.cjs'))).talk, /^INVALID_OPTION: The bundle .*none\.cjs cannot be read/);
  });

  test('called wrongly', async () => {
    for (const args of [[], ['a.cjs', 'b.cjs'], ['a.cjs', '--what']]) {
      const { code, talk } = await run(...args);
      assert.equal(code, 2, talk);
    }
    const help = await run('--help');
    assert.deepEqual([help.code, /Usage:/.test(help.data)], [0, true]);
  });

  test('a function with its cache consumes, in the runtime client of Lambda, under its flags', async () => {
    const own = await mkdtemp(join(folder, 'function-'));
    const bundle = join(own, 'index.cjs');
    await build({
      ...functionBundle,
      entryPoints: [join(root, 'bench/functions/consumer.ts')],
      outfile: bundle,
    });
    assert.equal((await run(bundle)).code, 0);
    await using broker = await startBroker({ binary: server?.binary ?? '' });
    const memphis = await connect({ servers: [broker.url] });
    await memphis.createStation('s');
    await memphis.produce('s', { id: 1 });
    await memphis.close();
    await using billing = await startFunction({
      handler: 'index.handler',
      taskRoot: own,
      env: { MEMPHIS_SERVERS: broker.url },
      timeoutMs: 20_000,
      execArgv: ['--expose-gc', '--max-old-space-size=120'],
    });
    const { payload, logs } = await billing.invoke({});
    assert.equal((payload as { acked?: number }).acked, 1);
    assert.deepEqual(logs, []);
  });
});
