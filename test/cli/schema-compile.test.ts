/** The command `schema compile`: from files and stations, exit codes, and words for those who call it wrongly. */

import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { connect } from '../../src/index.ts';
import '../../src/schemas/json.ts';
import { startBroker } from '../../src/testing/start-broker.ts';
import { run } from '../support/command.ts';
import { serversUnderTest } from '../support/servers.ts';

const [server] = serversUnderTest();

describe('schema compile', () => {
  let folder = '';
  const file = async (name: string, text: string): Promise<string> => {
    const path = join(folder, name);
    await writeFile(path, text);
    return path;
  };
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'memphis-serverless-cli-'));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  test('a file, its type by its ending and its name by its own, to stdout or into a file', async () => {
    const source = await file('order.json', '{"type":"object"}');
    const { code, data, talk } = await run('schema', 'compile', source);
    assert.equal(code, 0, talk);
    assert.match(data, /^\/\/ Schema order, version 1, json;/);
    const out = join(folder, 'order.schema.js');
    const written = await run('schema', 'compile', source, '--name', 'other', '--schema-version', '3', '--out', out);
    assert.deepEqual([written.code, written.data], [0, '']);
    assert.match(await readFile(out, 'utf8'), /\{"name":"other","version":3\}/);
    const told = await run('schema', 'compile', source, '--out', out, '--json');
    const { bytes, ...rest } = JSON.parse(told.data);
    assert.deepEqual(rest, { name: 'order', type: 'json', version: 1, out });
    assert.ok(bytes > 100);
    assert.ok(JSON.parse((await run('schema', 'compile', source, '--json')).data).code.includes('compiledJson'));
    assert.match((await run('schema', 'compile', source, '--reads-only')).data, /schemas\/reads-json'/);
  });

  test('protobuf with imports, Avro, GraphQL', async () => {
    const lib = await file('lib.proto', 'syntax = "proto3"; message A { string t = 1; }');
    const proto = await file(
      'm.proto',
      'syntax = "proto3"; import "x/lib.proto"; message M { A a = 1; } message N { A a = 1; }',
    );
    const { code, data, talk } = await run(
      'schema',
      'compile',
      proto,
      '--import',
      `x/lib.proto=${lib}`,
      '--message-name',
      'N',
    );
    assert.equal(code, 0, talk);
    assert.match(data, /compiledProtobuf/);
    for (const [name, text] of [
      ['a.avsc', '"string"'],
      ['g.graphql', 'type Query { a: Int }'],
    ] as const) {
      assert.equal((await run('schema', 'compile', await file(name, text))).code, 0, name);
    }
  });

  test('of an import the first file that is there is meant, wherever the signs between path and file stand', async () => {
    const lib = await file('a=lib=1.proto', 'syntax = "proto3"; message A { string t = 1; }');
    for (const path of ['lib.proto', 'x=1/lib.proto']) {
      const proto = await file('i.proto', `syntax = "proto3"; import "${path}"; message M { A a = 1; }`);
      const { code, talk } = await run('schema', 'compile', proto, '--import', `${path}=${lib}`);
      assert.equal(code, 0, talk);
    }
    const { talk } = await run('schema', 'compile', await file('n.proto', ''), '--import', 'a=b=c');
    assert.match(talk, /^The file b=c cannot be read: it is not there\./);
  });

  test('a file may begin with the mark of UTF-8; folders on the way to --out are made', async () => {
    const out = join(folder, 'made/for/it.js');
    const { code, talk } = await run('schema', 'compile', await file('mark.JSON', '\ufeff{}'), '--out', out);
    assert.equal(code, 0, talk);
    assert.match(await readFile(out, 'utf8'), /compiledJson/);
    const taken = await run('schema', 'compile', await file('t.json', '{}'), '--out', join(out, 'below.js'));
    assert.equal(taken.code, 1);
    assert.match(taken.talk, /below\.js cannot be written: /);
  });

  test('words for those who call it wrongly say what to do', async () => {
    const upper = await file('Order.json', '{}');
    const latin = join(folder, 'latin.json');
    await writeFile(latin, Buffer.from([0x22, 0xe4, 0x22]));
    for (const [args, words] of [
      [[upper], /^--name is missing: .* must be in lower case/],
      [[latin, '--name', 'x'], /latin\.json is not UTF-8/],
      [[folder, '--type', 'json', '--name', 'x'], /cannot be read: it is a folder/],
      [[upper, '--name', 'x', '--message-name', 'M'], /^--message-name goes with protobuf/],
      [[upper, '--name', 'x', '--import', 'a=b'], /^--import goes with protobuf/],
      [[upper, '--name', 'x', '--schema-version', '1e2'], /^--schema-version must be/],
      [[upper, '--name', 'x', '--out', 'x.cjs'], /^--out: .* ES module/],
      [[upper, '--name', 'x', '--out', ''], /^--out is empty/],
      [[upper, '--type', 'xml'], /json, protobuf, avro, graphql/],
    ] as const) {
      const { code, talk } = await run('schema', 'compile', ...args);
      assert.deepEqual([code, words.test(talk)], [2, true], talk);
    }
  });

  test('the schema that a station has', async () => {
    await using broker = await startBroker({ binary: (server as NonNullable<typeof server>).binary });
    const memphis = await connect({ servers: [broker.url] });
    await memphis.createSchema('order', 'json', { type: 'object' });
    await memphis.createStation('orders', { storageType: 'memory', schemaName: 'order' });
    await memphis.createStation('others', { storageType: 'memory' });
    await memphis.close();
    const { code, data, talk } = await run('schema', 'compile', '--station', 'Orders', '--servers', ` ${broker.url} `);
    assert.equal(code, 0, talk);
    assert.match(talk, /^Asking the broker for the schema of station orders\.\n$/);
    assert.match(data, /^\/\/ Schema order, version 1, json;/);
    const none = await run('schema', 'compile', '--station', 'others', '--servers', broker.url);
    assert.equal(none.code, 1);
    assert.match(none.talk, /\nSCHEMA_NOT_FOUND: /);
    assert.equal((await run('schema', 'compile', '--station', 'missing', '--servers', broker.url)).code, 1);
  });

  test('help is data; what is called wrongly ends with 2, what fails with 1', async () => {
    const source = await file('ok.json', '{}');
    const broken = await file('broken.json', '{');
    const odd = await file('odd.txt', '{}');
    const cases: readonly (readonly [readonly string[], number])[] = [
      [['--help'], 0],
      [['schema', 'compile', '--help'], 0],
      [['schema', '--help'], 0],
      [['schema', '-h'], 0],
      [[], 2],
      [['schema'], 2],
      [['nothing'], 2],
      [['schema', 'compile'], 2],
      [['schema', 'compile', source, source], 2],
      [['schema', 'compile', source, '--station', 's'], 2],
      [['schema', 'compile', source, '--servers', 's'], 2],
      [['schema', 'compile', '--station', 's', '--type', 'json'], 2],
      [['schema', 'compile', source, '--unknown'], 2],
      [['schema', 'compile', source, '--schema-version', '0'], 2],
      [['schema', 'compile', source, '--type', 'xml'], 2],
      [['schema', 'compile', odd], 2],
      [['schema', 'compile', join(folder, 'missing.json')], 2],
      [['schema', 'compile', source, '--import', 'x'], 2],
      [['schema', 'compile', broken], 1],
      [['schema', 'compile', source, '--name', 'NOT/A NAME'], 1],
    ];
    for (const [args, expected] of cases) {
      const { code, data, talk } = await run(...args);
      assert.equal(code, expected, args.join(' '));
      assert.equal(data.includes('Usage'), expected === 0 || args.length === 0);
      assert.equal(talk !== '', expected !== 0 && args.length > 0, args.join(' '));
    }
  });
});
