/**
 * Functions of stations with schemas, bundled as for Lambda and run where nothing else is installed: without a codec,
 * with one, with a precompiled schema, and with one of another version.
 */

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { functionBundle } from '../../bench/support/function-bundle.ts';
import { type Client, connect } from '../../src/index.ts';
import { compileSchema } from '../../src/schemas/compile.ts';
import '../../src/schemas/json.ts';
import { ensureNatsServer } from '../../src/testing/index.ts';
import { type RunningBroker, startBroker } from '../../src/testing/start-broker.ts';

const root = join(import.meta.dirname, '../..');
const exec = promisify(execFile);
/** What AWS's Node runtimes are started with. */
const lambdaFlags = ['--no-experimental-require-module', '--no-experimental-detect-module'];
const source = JSON.stringify({ type: 'object', properties: { id: { type: 'integer' } }, required: ['id'] });

/** What a function says of each thing that it tried. */
interface Told {
  readonly good: string;
  readonly bad: string;
  readonly values: readonly string[];
  readonly texts: readonly string[];
  /** Messages in the station afterwards. */
  readonly stored: number;
}

describe('bundled', () => {
  let folder = '';
  let broker: RunningBroker;
  let memphis: Client;
  let made = 0;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'memphis-serverless-bundled-'));
    broker = await startBroker({ binary: await ensureNatsServer() });
    memphis = await connect({ servers: [broker.url] });
    await memphis.createSchema('order', 'json', source);
  });
  after(async () => {
    await memphis.close();
    await broker.stop();
    await rm(folder, { recursive: true, force: true });
  });

  /** Produces, then consumes what was there before. */
  async function run(head: string): Promise<Told> {
    const station = `s${++made}`;
    await memphis.createStation(station, { storageType: 'memory', schemaName: 'order' });
    await memphis.produce(station, { id: 7 });
    const contents = `${head}
      import { withMemphis, withProducer } from 'memphis-serverless/lambda';
      const options = { servers: ['${broker.url}'], station: '${station}' };
      const told = { values: [], texts: [] };
      const attempt = async (work) => { try { await work(); return 'done'; } catch (error) { return error.code; } };
      const produce = withProducer(async (_, { produce }) => {
        told.good = await attempt(() => produce({ id: 1 }));
        told.bad = await attempt(() => produce({ id: 'x' }));
      }, options);
      const consume = withMemphis(async (messages) => {
        for (const message of messages) {
          told.texts.push(message.text());
          try { told.values.push(JSON.stringify(message.value())); } catch (error) { told.values.push(error.code + ' ' + error.message); }
        }
      }, { ...options, group: 'g' });
      const context = { getRemainingTimeInMillis: () => 20_000 };
      consume({}, context).then(() => produce({}, context)).then(() => { console.log(JSON.stringify(told)); process.exit(0); });`;
    const file = join(folder, `${made}.cjs`);
    await build({
      ...functionBundle,
      stdin: { contents, resolveDir: root },
      outfile: file,
    });
    const { stdout } = await exec(process.execPath, [...lambdaFlags, file], {
      cwd: folder,
      timeout: 30_000,
      env: { PATH: process.env.PATH },
    });
    const { messages } = await memphis.describeStation(station);
    return { ...(JSON.parse(stdout) as Omit<Told, 'stored'>), stored: messages };
  }

  const precompiled = async (version: number): Promise<string> =>
    (await compileSchema({ name: 'order', type: 'json', version, source })).replace('export default', 'void');

  test('without a codec nothing is produced, the missing import is named, and bytes are readable', async () => {
    const { good, bad, values, texts, stored } = await run('');
    assert.equal(stored, 1);
    assert.deepEqual([good, bad, texts], ['DEPENDENCY_MISSING', 'DEPENDENCY_MISSING', ['{"id":7}']]);
    assert.match(values.join(), /^DEPENDENCY_MISSING .*import 'memphis-serverless\/schemas\/json'/);
  });

  for (const [name, head] of [
    ['with the codec', async () => "import 'memphis-serverless/schemas/json';"],
    ['with the schema precompiled', () => precompiled(1)],
    [
      'with another version precompiled, and the codec',
      async () => `import 'memphis-serverless/schemas/json'; ${await precompiled(2)}`,
    ],
  ] as const) {
    test(`${name} messages are written and read`, async () => {
      const { good, bad, values, stored } = await run(await head());
      assert.equal(stored, 2);
      assert.deepEqual([good, bad, values], ['done', 'SCHEMA_VIOLATION', ['{"id":7}']]);
    });
  }

  test('with another version precompiled and no codec, it says so', async () => {
    const { good, bad, values } = await run(await precompiled(2));
    assert.deepEqual([good, bad], ['DEPENDENCY_MISSING', 'DEPENDENCY_MISSING']);
    assert.match(values.join(), /^DEPENDENCY_MISSING Version 1 of schema order .*precompile it/);
  });
});
