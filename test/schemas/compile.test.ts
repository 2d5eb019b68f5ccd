/** Precompiled schemas: one corpus through them and through the codecs, to the same values and the same errors. */

import assert from 'node:assert/strict';
import { globSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import fc from 'fast-check';
import { functionBundle } from '../../bench/support/function-bundle.ts';
import { isMemphisError } from '../../src/index.ts';
import type { Broker, OutgoingMessage } from '../../src/model/broker.ts';
import type { CompiledSchema, SchemaCodec, StationSchema } from '../../src/model/schema.ts';
import type { SchemaReader } from '../../src/model/schema-reader.ts';
import { avroJsonCodec } from '../../src/schemas/avro.ts';
import { type CompileOptions, compileSchema } from '../../src/schemas/compile.ts';
import { isSimple } from '../../src/schemas/compile-json.ts';
import { graphqlCodec } from '../../src/schemas/graphql.ts';
import { jsonCodec } from '../../src/schemas/json.ts';
import { linearPattern } from '../../src/schemas/patterns.ts';
import { protobufCodec } from '../../src/schemas/protobuf.ts';
import { recordedSchema } from '../support/recorded-schemas.ts';

const root = join(import.meta.dirname, '../..');
let folder = '';
let made = 0;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'memphis-serverless-compiled-'));
});
after(() => rm(folder, { recursive: true, force: true }));

/** Without the drivers, and what else functions have already. */
const own = (files: readonly (readonly [string, { readonly bytesInOutput: number }])[]): number =>
  files.reduce((sum, [file, { bytesInOutput }]) => (inFunctions.has(file) ? sum : sum + bytesInOutput), 0);

/** What a function without a schema has, and the drivers whole. */
const inFunctions = new Set(globSync('src/{brokers,connection}/**/*.ts', { cwd: root }));
before(async () => {
  const { metafile } = await build({
    entryPoints: ['src/lambda/index.ts'],
    bundle: true,
    write: false,
    metafile: true,
    platform: 'node',
    conditions: ['@memphis-serverless/source'],
    absWorkingDir: root,
    logLevel: 'error',
  });
  for (const file of Object.keys(metafile.inputs)) inFunctions.add(file);
});

/** A module as a function's bundle holds it. */
async function bundle(
  schema: StationSchema,
  options: CompileOptions = {},
): Promise<{ reader: SchemaReader; inputs: string; bytes: number }> {
  const { outputFiles, metafile } = await build({
    ...functionBundle,
    stdin: { contents: await compileSchema(schema, options), resolveDir: root },
    write: false,
    metafile: true,
    format: 'esm',
    banner: { js: "import { createRequire } from 'node:module'; const require = createRequire('/');" },
  });
  const file = join(folder, `${++made}.mjs`);
  const [output] = outputFiles;
  const inside = Object.entries(Object.values(metafile.outputs)[0]?.inputs ?? {});
  await writeFile(file, output?.contents ?? '');
  const { default: reader } = (await import(pathToFileURL(file).href)) as { readonly default: SchemaReader };
  return { reader, inputs: Object.keys(metafile.inputs).join(' '), bytes: own(inside) };
}

/** What becomes of bytes: a value, or an error with its issues. */
async function outcome(run: () => unknown): Promise<unknown> {
  try {
    return { value: await run() };
  } catch (error) {
    assert.ok(isMemphisError(error), String(error));
    // of GraphQL the first problem is told, in words of our own
    return error.message.includes('schema x-graphql')
      ? { code: error.code }
      : { code: error.code, message: error.message, issues: error.issues };
  }
}

async function compare(codec: SchemaCodec, schema: StationSchema, corpus: readonly unknown[]): Promise<void> {
  const [whole, toRead] = await Promise.all([bundle(schema), bundle(schema, { readsOnly: true })]);
  const [theirs, ours]: readonly CompiledSchema[] = [await codec.compile(schema), await whole.reader.open(undefined)];
  const oursToRead = await toRead.reader.open(undefined);
  assert.ok(theirs !== undefined && ours !== undefined);
  for (const message of corpus) {
    const bytes = message instanceof Uint8Array ? message : new TextEncoder().encode(JSON.stringify(message));
    assert.deepEqual(await outcome(() => ours.decode(bytes)), await outcome(() => theirs.decode(bytes)));
    assert.deepEqual(await outcome(() => oursToRead.decode(bytes)), await outcome(() => theirs.decode(bytes)));
    assert.deepEqual(await outcome(() => ours.encode(message)), await outcome(() => theirs.encode(message)));
  }
}

const jsonSchema = (source: unknown): StationSchema => ({
  name: 's',
  type: 'json',
  version: 1,
  source: JSON.stringify(source),
});

const order = {
  $schema: 'http://json-schema.org/draft-07/schema#',
  type: 'object',
  properties: {
    id: { type: 'string', minLength: 2, pattern: '^[a-z0-9-]+$' },
    mail: { type: 'string', pattern: '^[^@]+@[^@]+$' },
    lines: { type: 'array', uniqueItems: true, items: { $ref: '#/definitions/line' } },
    kind: { enum: ['a', { b: 1 }] },
    next: { $ref: '#' },
  },
  patternProperties: { '^x_': { type: 'integer' } },
  definitions: { line: { type: 'object', required: ['sku'], properties: { sku: { const: { n: 1 } } } } },
  required: ['id'],
  additionalProperties: false,
};
const samples: readonly unknown[] = [
  { id: 'ab' },
  { id: 'a' },
  { id: '😀' },
  { id: 'A!' },
  { id: 'ab', mail: 'a@b', lines: [{ sku: { n: 1 } }], kind: { b: 1 }, x_1: 1, next: { id: 'cd' } },
  { id: 'ab', mail: 'a@@b', lines: [{ sku: 1 }, {}], kind: 'b', x_1: 'x', extra: 1, next: { id: 1 } },
  { id: 'ab', lines: [{ sku: { n: 1 } }, { sku: { n: 1 } }] },
  [],
  'text',
  new Uint8Array([0xff]),
  7,
];

describe('precompiled', () => {
  test('JSON Schema: every dialect, patterns, references, unique items', async () => {
    await compare(jsonCodec, jsonSchema(order), samples);
    const keywords = { minimum: 1, maximum: 5, multipleOf: 0.5, items: { type: ['string', 'null'] }, maxProperties: 1 };
    for (const $schema of [
      'http://json-schema.org/draft-04/schema#',
      'http://json-schema.org/draft-06/schema#',
      'https://json-schema.org/draft/2019-09/schema',
      'https://json-schema.org/draft/2020-12/schema',
    ]) {
      await compare(jsonCodec, jsonSchema({ $schema, ...keywords }), [0, 1, 1.25, 6, ['a', 1], { a: 1, b: 2 }, null]);
    }
    const branch = (op: string) => ({ properties: { left: { $ref: '#' }, op: { const: op } }, required: ['op'] });
    const tree = {
      description: 'made by require("x")',
      oneOf: [{ type: 'number' }, branch('+'), branch('MEMPHIS_STEP')],
    };
    let deep: unknown = 1;
    for (let level = 0; level < 40; level++) deep = { left: deep, op: '+' };
    await compare(jsonCodec, jsonSchema(tree), [{ op: '+', left: 1 }, { op: 'MEMPHIS_STEP' }, { op: 'step' }, deep]);
    const unevaluated = {
      allOf: [{ properties: { a: true } }],
      unevaluatedProperties: false,
      dependentRequired: { a: ['b'] },
    };
    await compare(jsonCodec, jsonSchema(unevaluated), [{}, { a: 1 }, { a: 1, b: 1 }, { b: 1 }]);
    const { schema, messages } = recordedSchema('json');
    await compare(
      jsonCodec,
      schema,
      messages.map(({ data }) => data),
    );
  });

  test('protobuf, Avro and GraphQL: what was recorded, mutated and made up', async () => {
    for (const [type, codec] of [
      ['protobuf', protobufCodec],
      ['avro', avroJsonCodec],
      ['graphql', graphqlCodec],
    ] as const) {
      const { schema, messages } = recordedSchema(type);
      const mutations = fc
        .sample(fc.tuple(fc.nat(messages.length - 1), fc.nat(), fc.nat(255)), 100)
        .map(([index, at, byte]) => {
          const bytes = messages[index]?.data.slice() ?? new Uint8Array();
          if (bytes.length > 0) bytes[at % bytes.length] = byte;
          return bytes;
        });
      const objects = [
        { id: 'o', total: 5n, first_line: { sku: 's' } },
        { id: 7 },
        { zzz: 1 },
        { id: 'o', n: 1, total: 2, price: 1 },
      ];
      await compare(codec, schema, [
        ...messages.map(({ data }) => data),
        ...mutations,
        ...objects.map((one) => ('total' in one && typeof one.total === 'bigint' ? { ...one, total: 5 } : one)),
      ]);
    }
  });

  test('types of Avro that hold themselves and one another', async () => {
    const source = JSON.stringify({
      type: 'record',
      name: 'a.Node',
      fields: [
        { name: 'next', type: ['null', 'Node'], default: null },
        { name: 'kind', type: { type: 'enum', name: 'Kind', symbols: ['X', 'Y'] }, default: 'X' },
        {
          name: 'others',
          type: { type: 'map', values: { type: 'array', items: ['Kind', 'a.Node', 'long'] } },
          default: {},
        },
        { name: 'mark', type: { type: 'fixed', name: 'Mark', size: 2 } },
        { name: 'again', type: 'Mark' },
      ],
    });
    const node = { mark: 'ab', again: 'cd' };
    await compare(avroJsonCodec, { name: 's', type: 'avro', version: 1, source }, [
      node,
      { ...node, next: { 'a.Node': { ...node, kind: 'Y' } } },
      { ...node, next: { ...node, next: node } },
      { ...node, others: { k: ['X', { 'a.Node': node }, { long: 5 }, node, 7] } },
      { ...node, others: { k: ['Z'] } },
      { ...node, mark: 'abc' },
      { ...node, next: { 'a.Node': { ...node, again: 1 } } },
      { mark: 'ab' },
    ]);
  });

  test('a bundle holds the schema and no library that makes one', async () => {
    const libraries = /ajv|protobufjs|avsc|node_modules\/graphql|re2js/;
    const simple = { type: 'object', properties: { id: { type: 'string', pattern: '^[a-z]+$' } } };
    const recorded = (['protobuf', 'avro', 'graphql'] as const).map((type) => recordedSchema(type).schema);
    for (const schema of [jsonSchema(simple), ...recorded]) {
      const { inputs, bytes } = await bundle(schema);
      assert.doesNotMatch(inputs, libraries, schema.type);

      assert.ok(bytes < 28_000, `${schema.type}: ${bytes} bytes`);
      const toRead = await bundle(schema, { readsOnly: true });
      assert.doesNotMatch(toRead.inputs, /encode|writer|set-aside|refused/, schema.type);
      assert.ok(toRead.bytes < bytes - 1_500, `${schema.type}: ${toRead.bytes} bytes to read, ${bytes} in all`);
    }
    const { inputs } = await bundle(jsonSchema({ pattern: '(a+)+$' }));
    assert.match(inputs, /re2js/);
    assert.doesNotMatch(inputs, /ajv/);
  });

  test('it is registered under name, type and version; another version is none of its business', async () => {
    const name = 'precompiled-alone';
    const { reader } = await bundle({ ...jsonSchema({ type: 'string' }), name, version: 3 });
    const schema = { name, type: 'json', version: 3, source: '{}' };
    assert.ok(reader.covers(schema) && reader.covers(undefined));
    assert.ok(!reader.covers({ ...schema, version: 4 }) && !reader.covers({ ...schema, name: 'other' }));
  });

  test('one to read by writes nothing: what else covers the schema does, and without that it is told', async () => {
    const schema = { name: 'to-read', type: 'json', version: 1, source: '{"type":"string"}' };
    const { reader } = await bundle(schema, { readsOnly: true });
    const station = 's';
    const to = { broker: {} as Broker, station, toBytes: () => new Uint8Array(), again: async () => undefined };
    const letter = { station } as OutgoingMessage;
    assert.deepEqual(await (await reader.encoder(schema, to))(letter, '"x"', 1_000), new TextEncoder().encode('"x"'));
    const xml = { ...schema, type: 'xml' };
    await assert.rejects(reader.encoder(xml, to), { code: 'DEPENDENCY_MISSING', message: /--reads-only/ });
    await assert.rejects(reader.encoder(undefined, to), { code: 'DEPENDENCY_MISSING' });
    await assert.rejects(compileSchema(schema, { reads: true } as CompileOptions), { code: 'INVALID_OPTION' });
  });

  test('a pattern goes to the engine of JavaScript only where that is as fast and means the same', () => {
    for (const pattern of [
      '^[a-z]+$',
      '^\\d{3}-\\d+$',
      '^\\w{1,64}$',
      '^[^/]+$',
      '^#[0-9a-f]{6}$',
      '^a{2,}$',
      '^a?b?$',
    ]) {
      assert.ok(isSimple(pattern), pattern);
      const [one, other] = [new RegExp(pattern, 'u'), linearPattern(pattern)];
      for (const text of ['', 'a', 'abc', '123-4', '#00ff00', 'é', 'a\n', '/', 'aa', 'b', '😀']) {
        assert.equal(one.test(text), other.test(text), `${pattern} ${JSON.stringify(text)}`);
      }
    }
    for (const pattern of [
      'a+',
      '^(a+)+$',
      '^a+b+$',
      '^.*$',
      '^\\s$',
      '^a|b',
      '^\\bx',
      '^a?a?a?a?a?a?a?a?$',
      '^a{0,99}a{0,99}$',
      '^a++',
    ]) {
      assert.ok(!isSimple(pattern), pattern);
    }
  });

  test('what does not compile is told', async () => {
    for (const [type, source] of [
      ['json', '{'],
      ['json', '{"pattern":"(?=a)"}'],
      ['protobuf', 'message {'],
      ['avro', '{"type":"record"}'],
      ['graphql', 'type A { a: Int }'],
      ['graphql', 'type Query {'],
      ['xml', '<a/>'],
    ] as const) {
      await assert.rejects(compileSchema({ name: 's', type, version: 1, source }), { code: 'SCHEMA_INVALID' }, type);
    }
    const defer = 'directive @defer(if: Boolean! = true, label: String) on FRAGMENT_SPREAD type Query { a: Int }';
    const made = compileSchema({ name: 's', type: 'graphql', version: 1, source: defer });
    await assert.rejects(made, { code: 'UNSUPPORTED' });
  });
});
