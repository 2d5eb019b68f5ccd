/** `code-cache --run`: the function runs where its cache is made, and the cache holds what ran. */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text as readAll } from 'node:stream/consumers';
import { after, before, describe, test } from 'node:test';
import { build } from 'esbuild';
import { functionBundle } from '../../bench/support/function-bundle.ts';
import { main } from '../../src/cli/main.ts';
import { hideEnvironment } from '../../src/code-cache/hide-environment.ts';
import { connect } from '../../src/index.ts';
import { startBroker } from '../../src/testing/start-broker.ts';
import { serversUnderTest } from '../support/servers.ts';

const root = join(import.meta.dirname, '../..');
const [server] = serversUnderTest();
const olderNode = join(root, `node_modules/node22-linux-${process.arch}/bin/node`);

/** Each function says where it lies; those that run in no test lie there for the sizes. */
const kinds = `
exports.handler = async (event) => (event.rare ? rare() : usual());
function usual() { return [1, 2].map((n) => n + 1).join(); }
function rare() { return ['r', 'are'].map((part) => part.toUpperCase()).join(''); }
${Array.from({ length: 50 }, (_, n) => `exports.unused${n} = (a, b) => { const c = a.map((x) => x * ${n}); return b ? c : [...c, a]; };`).join('\n')}
`;

async function start(
  args: readonly string[],
  { input = '', env = {}, cwd }: { input?: string; env?: NodeJS.ProcessEnv; cwd?: string } = {},
) {
  const { NODE_OPTIONS: _, ...rest } = process.env;
  const child = spawn(process.execPath, args, { cwd, env: { ...rest, ...env } });
  child.stdin.end(input);
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  const [stdout, stderr] = await Promise.all([readAll(child.stdout), readAll(child.stderr)]);
  return { code: await ended, stdout, stderr };
}

/** The command; what the environment lacks is there meanwhile. */
async function run(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const said = { stdout: '', stderr: '' };
  Object.assign(process.env, env);
  const code = await main(['code-cache', ...args, '--json'], {
    data: (text) => {
      said.stdout += text;
    },
    talk: (text) => {
      said.stderr += text;
    },
  });
  for (const name of Object.keys(env)) delete process.env[name];
  return { code, ...said };
}

describe('code-cache --run', () => {
  let folder = '';
  /** The event `{}`. */
  let empty = '';
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'memphis-serverless-cli-'));
    empty = join(folder, 'empty.json');
    await writeFile(empty, '{}');
  });
  after(() => rm(folder, { recursive: true, force: true }));

  async function place(text: string): Promise<{ own: string; bundle: string }> {
    const own = await mkdtemp(join(folder, 'bundle-'));
    const bundle = join(own, 'index.cjs');
    await writeFile(bundle, text);
    return { own, bundle };
  }

  /** Its answer in a new process, and what that said. */
  async function invoke(bundle: string, event: object, program = process.execPath) {
    const { NODE_OPTIONS: _, ...env } = process.env;
    const host = join(folder, 'host.cjs');
    await writeFile(
      host,
      `require(process.argv[2]).handler(${JSON.stringify(event)}).then((answer) => console.log(answer));`,
    );
    const child = spawn(program, [host, bundle], { env });
    const [stdout, stderr] = await Promise.all([readAll(child.stdout), readAll(child.stderr)]);
    return [stdout.trim(), stderr];
  }

  /** Leaves the size, which is what V8 looks at: what runs now came out of the cache. */
  async function emptySource(own: string): Promise<void> {
    const code = join(own, (await readdir(own)).find((name) => /code-\w+\.js$/.test(name)) ?? '');
    await writeFile(code, ' '.repeat((await readFile(code)).length));
  }

  test('the cache holds what ran; an invocation that takes another way compiles that, as ever', async () => {
    const { own, bundle } = await place(kinds);
    const all = JSON.parse((await run([bundle])).stdout).caches[0];
    const { code, stdout, stderr } = await run([bundle, '--run', empty]);
    assert.deepEqual([code, stderr], [0, `Running handler of ${bundle}, 1 invocation; it writes:\n`]);
    const ran = JSON.parse(stdout).caches[0];
    assert.deepEqual([all.functions, ran.functions, ran.cache], ['all', 'run', all.cache]);
    assert.ok(ran.cacheBytes < all.cacheBytes, `${ran.cacheBytes} bytes, and ${all.cacheBytes} of all functions`);
    assert.deepEqual(await invoke(bundle, {}), ['2,3', '']);
    assert.deepEqual(await invoke(bundle, { rare: true }), ['RARE', '']);
    await emptySource(own);
    assert.deepEqual(await invoke(bundle, {}), ['2,3', '']);
    assert.notEqual((await invoke(bundle, { rare: true }))[0], 'RARE');
  });

  test('several events are several invocations of one process, and the cache holds what ran in any of them', async () => {
    const { own, bundle } = await place(kinds);
    for (const [name, event] of Object.entries({ usual: {}, rare: { rare: true } })) {
      await writeFile(join(folder, `${name}.json`), JSON.stringify(event));
    }
    const { code, stderr } = await run([
      bundle,
      ...['usual', 'rare'].flatMap((name) => ['--run', join(folder, `${name}.json`)]),
    ]);
    assert.deepEqual([code, stderr], [0, `Running handler of ${bundle}, 2 invocations; it writes:\n`]);
    await emptySource(own);
    assert.deepEqual(await invoke(bundle, {}), ['2,3', '']);
    assert.deepEqual(await invoke(bundle, { rare: true }), ['RARE', '']);
  });

  test('what ran early on is kept, though V8 would have thrown it away by then, and whatever flags the function sets', async () => {
    const { own, bundle } = await place(`
      const early = (() => 'ear' + 'ly')();
      exports.handler = async (event) => {
        if (event.last === undefined) return early + usual();
        const { setFlagsFromString } = require('node:v8');
        for (const flag of ['--expose-gc', '--stress-flush-code']) setFlagsFromString(flag);
        for (let times = 0; times < 20; times++) require('node:vm').runInNewContext('gc')();
      };
      function usual() { return [1, 2].join(); }`);
    const last = join(folder, 'last.json');
    await writeFile(last, '{"last":true}');
    const { code, stderr } = await run([bundle, '--run', empty, '--run', last]);
    assert.equal(code, 0, stderr);
    await emptySource(own);
    assert.deepEqual(await invoke(bundle, {}), ['early1,2', '']);
  });

  test('it runs as in the place of the bundle, with a context whose time runs, and its output goes to stderr', async () => {
    const { own, bundle } = await place(`
      const path = require('node:path');
      exports.bill = async (event, context) => {
        const imported = await import('./late.mjs');
        const left = context.getRemainingTimeInMillis();
        console.log(JSON.stringify([event, __filename, __dirname, require('./near.cjs'), module.require('./near.cjs'), imported.default]));
        console.error(left > 0 && left <= 20000, process.env.SOME, require.cache[__filename] === module);
        process.stdout.write('no end of line');
        setInterval(() => {}, 1000); // Lambda would freeze it here
      };`);
    await writeFile(join(own, 'near.cjs'), "module.exports = 'near';");
    await writeFile(join(own, 'late.mjs'), "export default 'late';");
    const args = [bundle, '--run', '-', '--run', '-', '--handler', 'index.bill', '--timeout-ms', '20000'];
    const command = ['--conditions=@memphis-serverless/source', join(root, 'src/cli/bin.ts'), 'code-cache', '--json'];
    const { code, stdout, stderr } = await start([...command, ...args], { input: '{"a":[1]}', env: { SOME: 'thing' } });
    assert.equal(code, 0, stderr);
    assert.equal(JSON.parse(stdout).caches[0].functions, 'run');
    const values = JSON.stringify([{ a: [1] }, bundle, own, 'near', 'near', 'late']);
    for (const part of [values, 'true thing true', 'no end of line']) {
      assert.equal(stderr.split(part).length - 1, 2, stderr);
    }
  });

  test('handlers that answer at once or by a callback', async () => {
    for (const text of [
      'exports.handler = () => 1;',
      'exports.handler = (event, context, callback) => { setTimeout(callback, 5, null, 1); };',
    ]) {
      const { bundle } = await place(text);
      const { code, stderr } = await run([bundle, '--run', empty]);
      assert.equal(code, 0, stderr);
    }
  });

  test('a function that fails, exits or never ends leaves the folder as it was, and the error says what happened', async () => {
    const secret = 'nats://user:hunter2-hunter2@broker:4222';
    const env = { MEMPHIS_SERVERS: secret, API_KEY: 'key-of-the-api' };
    for (const [text, words] of [
      [
        'throw new TypeError("no good");',
        /^FUNCTION_FAILED: .*handler.*index\.cjs.*threw while it was loaded: TypeError: no good/m,
      ],
      [
        'exports.handler = async () => { throw new RangeError("too far"); };',
        /^FUNCTION_FAILED: .*it failed: RangeError: too far/m,
      ],
      [
        'exports.handler = () => { throw Object.assign(new Error("x"), { code: "E_MINE" }); };',
        /it failed: E_MINE: Error: x/,
      ],
      ['exports.handler = (event, context, callback) => callback(new Error("called"));', /it failed: Error: called/],
      ['exports.handler = () => Promise.reject(undefined);', /it failed: undefined/],
      [
        'exports.handler = async () => { throw new Error([process.env.MEMPHIS_SERVERS, "hunter2-hunter2", process.env.API_KEY]); };',
        /it failed: Error: <MEMPHIS_SERVERS>,<MEMPHIS_SERVERS>,<API_KEY>/,
      ],
      ['exports.handler = () => process.exit(3);', /^FUNCTION_FAILED: .*its process ended \(exit code 3\)/m],
      ['exports.handler = () => process.exit(0);', /its process ended \(exit code 0\)/],
      ['exports.handler = () => new Promise(() => {});', /its process ended \(exit code 0\) before it had answered/],
      [
        'exports.handler = () => { setTimeout(() => { throw 1; }, 1); return new Promise(() => {}); };',
        /its process ended \(exit code 1\)/,
      ],
      [
        'exports.handler = () => new Promise(() => setInterval(() => {}, 1000));',
        /not ended after 700 ms.*--timeout-ms/,
      ],
      ['process.on("SIGTERM", () => {}); exports.handler = () => { for (;;); };', /not ended after 700 ms/],
      [
        'exports.other = () => 1; exports.more = class {}; exports.handler = 1;',
        /^INVALID_OPTION: .*no function handler \(--handler\), but other, more\./m,
      ],
      ['exports.handler = ;', /^INVALID_OPTION: .*SyntaxError/m],
    ] as const) {
      const { own, bundle } = await place(`console.log('loaded');\n${text}`);
      const isEndless = words.source.includes('not ended');
      const { code, stdout, stderr } = await run(
        [bundle, '--run', empty, '--timeout-ms', isEndless ? '700' : '20000'],
        env,
      );
      assert.deepEqual([code, stdout], [1, ''], `${text}\n${stderr}`);
      assert.match(stderr, words);
      // a machine that is busy may need longer than that to begin
      if (!isEndless) assert.equal(stderr.includes('loaded\n'), !text.endsWith('= ;'), stderr);
      assert.doesNotMatch(stderr, /hunter2|key-of-the-api/);
      assert.deepEqual([await readdir(own), (await readFile(bundle, 'utf8')).endsWith(text)], [['index.cjs'], true]);
    }
  });

  /** A bundle whose function connects to a server, and so does a program that it starts; `end` is what it does then. */
  async function placeWithChild(end: string) {
    const listener = createTcpServer().listen(0, '127.0.0.1');
    await once(listener, 'listening');
    const connecting = `require('node:net').connect(${(listener.address() as AddressInfo).port}, '127.0.0.1')`;
    const { own, bundle } = await place(`exports.handler = () => new Promise((resolve) => {
      const program = "${connecting}.on('connect', () => process.stdout.write('up'))";
      const child = require('node:child_process').spawn(process.execPath, ['-e', program]);
      child.stdout.once('data', () => ${connecting}.on('connect', () => { ${end} }));
    });`);
    const ends: Promise<unknown>[] = [];
    const bothUp = new Promise<void>((resolve) => {
      listener.on('connection', (socket) => {
        ends.push(
          once(
            socket.resume().on('error', () => {}),
            'close',
          ),
        );
        if (ends.length === 2) resolve();
      });
    });
    return { own, bundle, bothUp, ends, [Symbol.dispose]: () => listener.close() };
  }

  test('what the function has started ends with it', { timeout: 60_000 }, async () => {
    using placed = await placeWithChild('resolve();');
    const { code, stderr } = await run([placed.bundle, '--run', empty]);
    assert.equal(code, 0, stderr);
    await placed.bothUp;
    await Promise.all(placed.ends);
  });

  test('a signal ends the command, the function and what that has started; no file is left', {
    timeout: 60_000,
  }, async () => {
    using placed = await placeWithChild('');
    const work = await mkdtemp(join(folder, 'work-'));
    const command = ['--conditions=@memphis-serverless/source', join(root, 'src/cli/bin.ts'), 'code-cache'];
    const child = spawn(process.execPath, [...command, placed.bundle, '--run', empty], {
      env: { ...process.env, TMPDIR: work },
    });
    const said = readAll(child.stderr);
    await placed.bothUp;
    child.kill('SIGTERM');
    const [code] = await once(child, 'exit');
    assert.equal(code, 130, await said);
    assert.match(await said, /Interrupted: nothing was written\.\n$/);
    await Promise.all(placed.ends);
    assert.deepEqual([await readdir(work), await readdir(placed.own)], [[], ['index.cjs']]);
  });

  test('each Node runs it, and makes the cache of its version', { skip: !existsSync(olderNode) }, async () => {
    const { bundle } = await place(`console.log('version', process.version);\n${kinds}`);
    const args = [bundle, '--run', empty, '--node', process.execPath, '--node', olderNode];
    const { code, stdout, stderr } = await run(args);
    assert.equal(code, 0, stderr);
    const versions = JSON.parse(stdout).caches.map(({ node }: { node: string }) => node);
    assert.deepEqual([versions[0], /^v22\./.test(versions[1])], [process.version, true]);
    assert.deepEqual(
      stderr.match(/version \S+/g),
      versions.map((version: string) => `version ${version}`),
    );
    for (const program of [process.execPath, olderNode]) {
      const [answer, warned] = await invoke(bundle, { rare: true }, program);
      assert.deepEqual([answer?.split('\n').at(-1), warned], ['RARE', ''], program);
    }
  });

  test('called wrongly', async () => {
    const { own, bundle } = await place(kinds);
    for (const [args, expected, words] of [
      [['--handler', 'a'], 2, /go with --run/],
      [['--timeout-ms', '5'], 2, /go with --run/],
      [['--run', '-', '--timeout-ms', '0'], 2, /whole number from 1 to 900000/],
      [['--run', join(own, 'index.cjs')], 1, /^INVALID_OPTION: The event .*index\.cjs is no JSON\.\n$/],
      [['--run', join(own, 'none.json')], 1, /^INVALID_OPTION: The event .*none\.json cannot be read/],
    ] as const) {
      const { code, stderr } = await run([bundle, ...args]);
      assert.deepEqual([code, words.test(stderr)], [expected, true], stderr);
    }
    assert.deepEqual(await readdir(own), ['index.cjs']);
  });

  /** @returns what a first invocation answered in a new process, and what that said */
  async function consume(bundle: string, url: string) {
    const host = join(folder, 'consume.cjs');
    await writeFile(
      host,
      'require(process.argv[2]).handler({}, { getRemainingTimeInMillis: () => 20000 }).then((all) => { console.log(all?.acked); process.exit(); });',
    );
    const { stdout, stderr } = await start([host, bundle], { env: { MEMPHIS_SERVERS: url } });
    return [stdout.trim(), stderr];
  }

  test('a function with the cache of its run consumes', async () => {
    const { bundle } = await place('');
    await build({ ...functionBundle, entryPoints: [join(root, 'bench/functions/consumer.ts')], outfile: bundle });
    await using broker = await startBroker({ binary: server?.binary ?? '' });
    const memphis = await connect({ servers: [broker.url] });
    await memphis.createStation('s');
    await memphis.produce('s', { id: 1 });
    const { code, stderr } = await run([bundle, '--run', empty], { MEMPHIS_SERVERS: broker.url });
    assert.equal(code, 0, stderr);
    for (const id of [2, 3]) await memphis.produce('s', { id });
    await memphis.close();
    assert.deepEqual(await consume(bundle, broker.url), ['2', '']);
  });

  test('a bundle that holds a client of AWS', async () => {
    const { bundle } = await place('');
    const contents = `
      import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
      export async function handler({ endpoint }) {
        const credentials = { accessKeyId: 'a', secretAccessKey: 'b' };
        const client = new LambdaClient({ region: 'eu-central-1', endpoint, credentials });
        return (await client.send(new InvokeCommand({ FunctionName: 'f', Payload: '{}' }))).StatusCode;
      }`;
    await build({ ...functionBundle, stdin: { contents, resolveDir: root }, outfile: bundle });
    const aws = createServer((request, response) => {
      request.resume().once('end', () => response.writeHead(202, { connection: 'close' }).end('{}'));
    }).listen(0, '127.0.0.1');
    try {
      await once(aws, 'listening');
      const event = { endpoint: `http://127.0.0.1:${(aws.address() as AddressInfo).port}` };
      const file = join(folder, 'endpoint.json');
      await writeFile(file, JSON.stringify(event));
      const { code, stderr } = await run([bundle, '--run', file]);
      assert.equal(code, 0, stderr);
      assert.deepEqual(await invoke(bundle, event), ['202', '']);
    } finally {
      aws.close();
    }
  });

  test('the script of docs/cold-start.md makes one, on a broker of its own', async () => {
    const own = await mkdtemp(join(folder, 'script-'));
    const contents = `import { each, withMemphis } from 'memphis-serverless/lambda';
      export const handler = withMemphis(each((order) => console.log('billed', order.id)), { station: 'orders', group: 'billing' });`;
    const outfile = join(own, 'dist/index.js');
    await build({ ...functionBundle, stdin: { contents, resolveDir: root }, outfile });
    // what npm would install
    const command = `${process.execPath} --conditions=@memphis-serverless/source ${join(root, 'src/cli/bin.ts')}`;
    await writeFile(join(own, 'npx'), `#!/bin/sh\nshift\nexec ${command} "$@"\n`, { mode: 0o755 });
    const script = join(root, 'test/docs/snippets/cache-of-a-run.ts');
    const env = { PATH: `${own}:${process.env.PATH}`, NATS_SERVER_BIN: server?.binary ?? '' };
    const { code, stderr } = await start(['--conditions=@memphis-serverless/source', script], { env, cwd: own });
    assert.equal(code, 0, stderr);
    assert.match(stderr, /billed 0\n.*billed 19\n.*what ran/s);
    assert.deepEqual((await readdir(join(own, 'dist'))).length, 3);
  });
});

test('secrets of the environment are hidden however short, where they stand alone; other short words stay readable', () => {
  const env = {
    MEMPHIS_PASSWORD: 'abc',
    MEMPHIS_SERVERS: 'nats://me:pw1@b',
    DB_PWD: 'x',
    API_TOKEN: '',
    NODE_ENV: 'test',
    PWD: '/srv/app',
  };
  for (const [text, expected] of [
    ['refused: abc', 'refused: <MEMPHIS_PASSWORD>'],
    [
      "user me, 'abc' and abc. (me:pw1, pw1)",
      "user me, '<MEMPHIS_PASSWORD>' and <MEMPHIS_PASSWORD>. (<MEMPHIS_SERVERS>, <MEMPHIS_SERVERS>)",
    ],
    ['abcissa, x-ray, max', 'abcissa, <DB_PWD>-ray, max'],
    ['/srv/app/a.test.js under test', '/srv/app/a.test.js under test'],
  ] as const) {
    assert.equal(hideEnvironment(text, env), expected);
  }
});

test('values of the environment are hidden, longest first; paths, short words and other addresses stay readable', () => {
  const env = {
    PW: 'abcdef',
    LONGER: 'abcdefgh',
    SHORT: 'on',
    HOME: '/home/me',
    AWS_SECRET_ACCESS_KEY: '/abc+def/',
    URLS: 'nats://a,nats://me:p%40ssword@b',
  };
  for (const [text, expected] of [
    ['abcdefgh abcdef on /home/me', '<LONGER> <PW> on /home/me'],
    ['/home/me and /abc+def/', '/home/me and <AWS_SECRET_ACCESS_KEY>'],
    ['p@ssword p%40ssword', '<URLS> <URLS>'],
    ['at https://x:y@z/a and nats://b:1', 'at https://...@z/a and nats://b:1'],
  ] as const) {
    assert.equal(hideEnvironment(text, env), expected);
  }
});
