/** The codec of JSON Schema: what others wrote, dialects, inputs, and messages of nobody. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { isMemphisError } from '../../src/index.ts';
import type { CompiledSchema } from '../../src/model/schema.ts';
import { jsonCodec } from '../../src/schemas/json.ts';
import { recordedSchema } from '../support/recorded-schemas.ts';

const make = (schema: unknown): CompiledSchema =>
  jsonCodec.compile({ name: 's', type: 'json', version: 1, source: JSON.stringify(schema) }) as CompiledSchema;
const text = (data: unknown): string => Buffer.from(data as Uint8Array).toString();
const bytes = (json: string): Uint8Array => new TextEncoder().encode(json);
const fits = (codec: CompiledSchema, value: unknown): boolean => {
  try {
    codec.decode(bytes(JSON.stringify(value)));
    return true;
  } catch (error) {
    assert.ok(isMemphisError(error, 'SCHEMA_VIOLATION'), String(error));
    return false;
  }
};

const drafts = {
  '04': 'http://json-schema.org/draft-04/schema#',
  '06': 'http://json-schema.org/draft-06/schema#',
  '07': 'http://json-schema.org/draft-07/schema#',
  '2019-09': 'https://json-schema.org/draft/2019-09/schema',
  '2020-12': 'https://json-schema.org/draft/2020-12/schema',
} as const;

describe('json', () => {
  test('what three SDKs produced is read as they read it', async () => {
    const { schema, messages } = recordedSchema('json');
    const codec = await jsonCodec.compile(schema);
    assert.ok(messages.length > 10);
    for (const { case: name, data, values } of messages) {
      const value = codec.decode(data);
      for (const [sdk, theirs] of Object.entries(values)) assert.deepEqual(value, theirs, `${name}, read by ${sdk}`);
      assert.deepEqual(codec.encode(data), data);
    }
  });

  test('each dialect means what it says', () => {
    const keywords: readonly (readonly [keyof typeof drafts | '', object, unknown, unknown])[] = [
      ['04', { maximum: 5, exclusiveMaximum: true }, 4, 5],
      ['04', { id: 'http://example.com/a', type: 'integer' }, 1, 1.5],
      ['06', { exclusiveMaximum: 5 }, 4, 5],
      ['06', { const: 1 }, 1, 2],
      ['06', { contains: { type: 'number' } }, ['a', 1], ['a']],
      ['07', { if: { type: 'string' }, else: { minimum: 2 } }, 2, 1],
      ['07', { items: [{ type: 'string' }], additionalItems: false }, ['a'], ['a', 1]],
      ['2019-09', { dependentRequired: { a: ['b'] } }, { a: 1, b: 1 }, { a: 1 }],
      ['2019-09', { properties: { a: true }, unevaluatedProperties: false }, { a: 1 }, { b: 1 }],
      ['2019-09', { contains: { const: 1 }, maxContains: 1 }, [1], [1, 1]],
      ['2020-12', { prefixItems: [{ type: 'string' }], items: false }, ['a'], ['a', 1]],
      ['2020-12', { $defs: { a: { type: 'string' } }, $ref: '#/$defs/a' }, 'a', 1],
      ['', { prefixItems: [{ type: 'string' }], items: false }, ['a'], ['a', 1]],
    ];
    for (const [draft, keyword, good, bad] of keywords) {
      const codec = make(draft === '' ? keyword : { $schema: drafts[draft], ...keyword });
      assert.ok(fits(codec, good), `${draft} ${JSON.stringify(keyword)}`);
      assert.ok(!fits(codec, bad), `${draft} ${JSON.stringify(keyword)}`);
    }
    for (const $schema of Object.values(drafts)) {
      const codec = make({
        $schema,
        type: 'string',
        format: 'email',
        'x-own': 1,
        format2: 'nothing',
        pattern: '^\\p{L}+$',
      });
      assert.ok(fits(codec, 'é'));
      assert.ok(!fits(codec, 5));
      assert.ok(fits(make({ $schema, properties: { toString: { type: 'string' } } }), {}));
      assert.ok(!fits(make({ $schema, required: ['toString'] }), {}));
      const patterns = make({ $schema, patternProperties: { '^a': { type: 'integer' }, '^b': { type: 'string' } } });
      assert.ok(fits(patterns, { a: 1, b: 'x' }));
      assert.ok(!fits(patterns, { a: 'x' }) && !fits(patterns, { b: 1 }));
      const itself = make({ $schema, properties: { next: { $ref: '#' } }, required: ['id'] });
      assert.ok(fits(itself, { id: 1, next: { id: 2 } }));
      assert.ok(!fits(itself, { id: 1, next: {} }));
    }
    assert.ok(fits(make(true), 5) && !fits(make(false), 5));
  });

  test('what an object loses on its way into JSON is an error, or is kept', () => {
    const codec = make({});
    class Point {
      x = 1;
    }
    const kept: readonly (readonly [unknown, string])[] = [
      [{ n: 12345678901234567890n }, '{"n":12345678901234567890}'],
      [new Map([['a', new Map([['b', 1]])]]), '{"a":{"b":1}}'],
      [[1, 'a'], '[1,"a"]'],
      [new Point(), '{"x":1}'],
      [{ at: new Date(0) }, '{"at":"1970-01-01T00:00:00.000Z"}'],
      [{ a: undefined }, '{}'],
      ['  [1]', '  [1]'],
      [bytes('5'), '5'],
    ];
    for (const [message, json] of kept) assert.equal(text(codec.encode(message)), json);
    const cycle: Record<string, unknown> = {};
    cycle.self = cycle;
    for (const lost of [
      { n: Number.NaN },
      { n: Number.POSITIVE_INFINITY },
      { f: () => 1 },
      { s: Symbol('s') },
      [undefined],
      { set: new Set([1]) },
      { bytes: new Uint8Array(1) },
      { map: new Map([[1, 1]]) },
      { promise: Promise.resolve() },
      { error: new Error('e') },
      { pattern: /x/ },
      new Set([1]),
      cycle,
      { toJSON: () => undefined },
      7,
      null,
      undefined,
      true,
    ]) {
      assert.throws(() => codec.encode(lost), { code: 'INVALID_MESSAGE' });
    }
    for (const broken of ['{', '', bytes('{"a":}'), new Uint8Array([0xff])]) {
      assert.throws(() => codec.encode(broken), { code: 'SCHEMA_VIOLATION' });
    }
  });

  test('all that is wrong is told, with paths; of a large message the first', () => {
    const codec = make({ additionalProperties: { type: 'array', items: { type: 'integer' } } });
    const paths = (value: unknown): string[] => {
      try {
        codec.encode(value);
        return [];
      } catch (error) {
        return (isMemphisError(error) ? (error.issues ?? []) : []).map(({ path }) => path.join('/'));
      }
    };
    assert.deepEqual(paths({ 'a/b~c': [1, 'x', 2, 'y'], d: 1 }), ['a/b~c/1', 'a/b~c/3', 'd']);
    assert.equal(paths({ a: Array.from({ length: 50_000 }, () => 'x') }).length, 1);
  });

  test('unique are values that differ, whatever JSON would make of them', () => {
    const codec = make({ uniqueItems: true });
    const isTaken = (text: string): boolean => {
      try {
        return codec.decode(bytes(text)) !== undefined;
      } catch {
        return false;
      }
    };
    for (const text of [
      '[1e400,null]',
      '[1e400,-1e400]',
      '[{"a":1e400},{"a":null}]',
      '[1,"1"]',
      '[null,"null"]',
      '[[],{}]',
    ]) {
      assert.ok(isTaken(text), text);
    }
    for (const text of ['[0,-0]', '[1,1.0]', '[1e400,1e400]', '[{"a":1,"b":2},{"b":2,"a":1}]', '["a","\\u0061"]']) {
      assert.ok(!isTaken(text), text);
    }
  });

  test('of what is wrong in thousands of levels little is told, and at once', () => {
    const tree = { anyOf: [{ type: 'string' }, { type: 'object', additionalProperties: { $ref: '#' } }, { const: 1 }] };
    const codec = make(tree);
    const nested = (key: string, levels: number) => bytes(`${`{"${key}":`.repeat(levels)}2${'}'.repeat(levels)}`);
    for (const data of [nested('a', 3_000), nested('k'.repeat(1_000), 20)]) {
      const before = process.cpuUsage();
      assert.throws(
        () => codec.decode(data),
        (error) => isMemphisError(error, 'SCHEMA_VIOLATION') && JSON.stringify(error.issues).length < 250_000,
      );
      const { user } = process.cpuUsage(before);
      assert.ok(user < 3_000_000, `${user} us of processor time`); // it was 8 s
    }
  });

  test('messages and patterns of nobody end as a violation, in time', () => {
    const codec = make({
      type: 'object',
      properties: {
        text: { type: 'string', pattern: '^(a+)+$' },
        list: { type: 'array', uniqueItems: true },
        tree: { $ref: '#/$defs/tree' },
      },
      patternProperties: { '^(x+x+)+y$': { type: 'integer' } },
      $defs: { tree: { type: 'array', items: { $ref: '#/$defs/tree' } } },
    });
    const fails = (data: Uint8Array): void => {
      try {
        codec.decode(data);
      } catch (error) {
        assert.ok(isMemphisError(error, 'SCHEMA_VIOLATION'), String(error));
      }
    };
    fc.assert(fc.property(fc.uint8Array(), fails), { numRuns: 500 });
    fc.assert(fc.property(fc.json().map(bytes), fails), { numRuns: 500 });
    assert.ok(!fits(codec, { text: `${'a'.repeat(50_000)}!` }));
    assert.ok(fits(codec, { ['x'.repeat(5_000)]: 1 }));
    const items = Array.from({ length: 20_000 }, (_, index) => ({ a: index, b: [index] }));
    assert.ok(fits(codec, { list: items }));
    assert.ok(!fits(codec, { list: [...items, { b: [0], a: 0 }] }));
    fails(bytes(`{"tree":${'['.repeat(200_000)}${']'.repeat(200_000)}}`));
  });

  test('alternatives that hold themselves are not tried for ever, and a tree of a sensible depth is', () => {
    const branch = (op: string) => ({
      type: 'object',
      properties: { left: { $ref: '#/$defs/node' }, op: { const: op } },
      required: ['op', 'left'],
    });
    const codec = make({
      $ref: '#/$defs/node',
      $defs: { node: { oneOf: [{ type: 'number' }, branch('+'), branch('-')] } },
    });
    const tree = (levels: number): object =>
      Array.from({ length: levels }).reduce<object>((left) => ({ left, op: '+' }), { left: 1, op: '-' });
    assert.ok(fits(codec, tree(10)));
    const before = process.cpuUsage();
    assert.throws(() => codec.decode(bytes(JSON.stringify(tree(60)))), { code: 'SCHEMA_VIOLATION' }); // of 2^60 ways
    const { user } = process.cpuUsage(before);
    assert.ok(user < 5_000_000, `${user} us of processor time`);
    const list = Array.from({ length: 20_000 }, (_, index) => ({ left: index, op: '+' }));
    const wide = make({
      type: 'array',
      items: { $ref: '#/$defs/one' },
      $defs: { one: { anyOf: [branch('-'), branch('+')] }, node: {} },
    });
    assert.ok(fits(wide, list));
  });

  test('what does not compile says why', () => {
    for (const schema of [
      [],
      'x',
      null,
      { type: 'nothing' },
      { $ref: '#/nowhere' },
      { $ref: 'http://example.com/schema' },
      { $schema: 'http://example.com/own' },
      { $schema: 5 },
      { pattern: '(?=a)' },
      { pattern: '(a)\\1' },
      { pattern: '[' },
      { $schema: drafts['04'], maximum: 'x' },
    ]) {
      assert.throws(() => make(schema), JSON.stringify(schema));
    }
  });
});
