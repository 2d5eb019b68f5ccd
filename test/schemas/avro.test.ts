/** The codec of Avro: what others wrote, tables of inputs and schemas, avsc as a second opinion, and bytes of nobody. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import avsc from 'avsc';
import fc from 'fast-check';
import { isMemphisError } from '../../src/index.ts';
import type { CompiledSchema } from '../../src/model/schema.ts';
import { avroJsonCodec } from '../../src/schemas/avro.ts';
import { recordedSchema } from '../support/recorded-schemas.ts';

const make = (source: unknown): CompiledSchema =>
  avroJsonCodec.compile({ name: 's', type: 'avro', version: 1, source: JSON.stringify(source) }) as CompiledSchema;
const text = (data: unknown): string => Buffer.from(data as Uint8Array).toString();
const bytes = (json: string): Uint8Array => new TextEncoder().encode(json);
const isViolation = (error: unknown, path?: string): boolean =>
  isMemphisError(error, 'SCHEMA_VIOLATION') &&
  (path === undefined || error.issues?.[0]?.path.join('.') === path) &&
  !error.message.includes('secret');

const order = {
  type: 'record',
  name: 'Order',
  namespace: 'shop',
  fields: [
    { name: 'id', type: 'string' },
    { name: 'n', type: 'int', default: 7 },
    { name: 'total', type: ['null', 'long'], default: null },
    { name: 'raw', type: ['null', 'bytes'], default: null },
    { name: 'mark', type: { type: 'fixed', name: 'Mark', size: 2 }, default: 'ab' },
    { name: 'size', type: { type: 'enum', name: 'Size', symbols: ['S', 'L'] }, default: 'S' },
    {
      name: 'lines',
      type: { type: 'array', items: { type: 'record', name: 'Line', fields: [{ name: 'sku', type: 'string' }] } },
      default: [],
    },
    { name: 'counts', type: { type: 'map', values: 'double' }, default: {} },
    { name: 'next', type: ['null', 'Order', 'Line', 'string'], default: null },
  ],
};
const full = {
  id: 'o',
  n: 7,
  total: null,
  raw: null,
  mark: new Uint8Array([97, 98]),
  size: 'S',
  lines: [],
  counts: {},
  next: null,
};

describe('avro', () => {
  test('what three SDKs produced is read as they read it, unions without their wrapping and defaults filled in', async () => {
    for (const type of ['avro', 'avros']) {
      const { schema, messages } = recordedSchema(type);
      const codec = await avroJsonCodec.compile(schema);
      assert.ok(messages.length > 5);
      for (const { case: name, data, values } of messages) {
        const value = codec.decode(data) as Record<string, unknown>;
        for (const [sdk, theirs] of Object.entries(values)) {
          const plain = structuredClone(theirs) as { note?: { string?: string } | null };
          const note = plain.note?.string ?? plain.note ?? null;
          assert.deepEqual(value, type === 'avro' ? { ...plain, note } : plain, `${name}, read by ${sdk}`);
        }
      }
    }
  });

  test('what is written reads as it was given', () => {
    const codec = make(order);
    const cases: readonly (readonly [object, string, object])[] = [
      [{ id: 'o' }, '{"id":"o"}', full],
      [{ id: 'o', total: 5 }, '{"id":"o","total":{"long":5}}', { ...full, total: 5 }],
      [{ id: 'o', total: { long: 5 } }, '{"id":"o","total":{"long":5}}', { ...full, total: 5 }],
      [
        { id: 'o', total: 9007199254740993n },
        '{"id":"o","total":{"long":9007199254740993}}',
        { ...full, total: 9007199254740993n },
      ],
      [
        { id: 'o', raw: new Uint8Array([0, 255]) },
        '{"id":"o","raw":{"bytes":"\\u0000ÿ"}}',
        { ...full, raw: new Uint8Array([0, 255]) },
      ],
      [{ id: 'o', next: 'x' }, '{"id":"o","next":{"string":"x"}}', { ...full, next: 'x' }],
      [{ id: 'o', next: { sku: 's' } }, '{"id":"o","next":{"shop.Line":{"sku":"s"}}}', { ...full, next: { sku: 's' } }],
      [
        { id: 'o', next: { id: 'p' } },
        '{"id":"o","next":{"shop.Order":{"id":"p"}}}',
        { ...full, next: { ...full, id: 'p' } },
      ],
      [new Map([['id', 'o']]), '{"id":"o"}', full],
      [{ id: 'o', counts: new Map([['k', 1]]) }, '{"id":"o","counts":{"k":1}}', { ...full, counts: { k: 1 } }],
    ];
    for (const [given, written, read] of cases) {
      const data = codec.encode(given) as Uint8Array;
      assert.equal(text(data), written);
      assert.deepEqual(codec.decode(data), read);
    }
    assert.equal(text(codec.encode('{ "id": "as it is" }')), '{ "id": "as it is" }');
    assert.deepEqual(codec.decode(bytes('{"id":"o","total":5}')), { ...full, total: 5 });
  });

  test('nothing is lost in silence: each has its path', () => {
    const codec = make(order);
    const refused: readonly (readonly [unknown, string])[] = [
      [{}, 'id'],
      [{ id: 1 }, 'id'],
      [{ id: 'o', zzz: 'secret' }, 'zzz'],
      [{ id: 'o', n: 1.5 }, 'n'],
      [{ id: 'o', n: 2 ** 31 }, 'n'],
      [{ id: 'o', total: 2 ** 53 }, 'total'],
      [{ id: 'o', total: 1n << 63n }, 'total'],
      [{ id: 'o', mark: 'abc' }, 'mark'],
      [{ id: 'o', mark: '€€' }, 'mark'],
      [{ id: 'o', size: 'XL' }, 'size'],
      [{ id: 'o', lines: [{ sku: 's' }, { skuu: 's' }] }, 'lines.1.sku'],
      [{ id: 'o', counts: { k: 'x' } }, 'counts.k'],
      [{ id: 'o', counts: new Date() }, 'counts'],
      [new Set(['id']), ''],
      [{ id: 'o', counts: { k: Number.NaN } }, 'counts.k'],
      [{ id: 'o', next: { nothing: 1 } }, 'next'],
      [{ id: 'o', next: 7 }, 'next'],
      ['hello', ''],
      [new Uint8Array([2, 111, 2, 4, 0]), ''],
    ];
    for (const [message, path] of refused) {
      assert.throws(
        () => codec.encode(message),
        (error) => isViolation(error, path),
        path,
      );
    }
    for (const wrong of [7, null, undefined]) assert.throws(() => codec.encode(wrong), { code: 'INVALID_MESSAGE' });
    assert.deepEqual(codec.decode(bytes('{"id":"o","zzz":1}')), { ...full, zzz: 1 }, 'others may send more');
  });

  test('a bigint is taken for a double that holds its digits, and refused where some would be lost', () => {
    const fields = [{ name: 'd', type: 'double' }];
    const source = JSON.stringify({ type: 'record', name: 'R', fields });
    const codec = avroJsonCodec.compile({ name: 's', type: 'avro', version: 1, source }) as CompiledSchema;
    const read = (written: unknown) => codec.decode(written as Uint8Array);
    assert.deepEqual(read(codec.encode({ d: 1n << 60n })), { d: 2 ** 60 });
    assert.throws(() => codec.encode({ d: 9007199254740993n }), { code: 'SCHEMA_VIOLATION' });
    // text goes as it is
    assert.equal(String(Buffer.from(codec.encode('{"d":9007199254740993}') as Uint8Array)), '{"d":9007199254740993}');
    assert.throws(() => codec.encode('{"d":1,"zzz":1}'), { code: 'SCHEMA_VIOLATION' });
  });

  test('what is no schema does not compile; a name or a union alone does', () => {
    for (const source of ['"string"', 'string', '["null","string"]', '{"type":"int","logicalType":"date"}']) {
      assert.ok(avroJsonCodec.compile({ name: 's', type: 'avro', version: 1, source }));
    }
    const broken: readonly unknown[] = [
      'x',
      { type: 'record', name: 'R' },
      { type: 'record', name: 'R', fields: [{ name: 'a', type: 'X' }] },
      {
        type: 'record',
        name: 'R',
        fields: [
          { name: 'a', type: 'int' },
          { name: 'a', type: 'int' },
        ],
      },
      { type: 'record', name: '1', fields: [] },
      { type: 'enum', name: 'E', symbols: ['A', 'A'] },
      { type: 'fixed', name: 'F' },
      { type: 'array' },
      ['int', 'int'],
      ['int', ['string']],
      7,
      null,
      {},
    ];
    for (const source of broken) assert.throws(() => make(source), JSON.stringify(source));
  });

  test('avsc reads what is written', () => {
    const source = { ...order, fields: order.fields.map(({ default: _, ...field }) => field) };
    const codec = make(source);
    const theirs = avsc.Type.forSchema(source as never, { wrapUnions: true });
    const line = fc.record({ sku: fc.string() });
    const value = fc.record({
      id: fc.string(),
      n: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
      total: fc.option(fc.integer({ min: -(2 ** 52), max: 2 ** 52 })),
      raw: fc.option(fc.uint8Array()),
      mark: fc.uint8Array({ minLength: 2, maxLength: 2 }),
      size: fc.constantFrom('S', 'L'),
      lines: fc.array(line),
      counts: fc.dictionary(
        fc.string().filter((key) => key !== '__proto__'),
        fc.double({ noNaN: true, noDefaultInfinity: true }),
      ),
      next: fc.option(fc.oneof(line, fc.string())),
    });
    fc.assert(
      fc.property(value, (message) => {
        const data = codec.encode(message) as Uint8Array;
        assert.ok(theirs.fromString(text(data)));
        const clean = JSON.parse(JSON.stringify(message, (_, one) => (Object.is(one, -0) ? 0 : one)));
        const read = codec.decode(data) as typeof message;
        assert.deepEqual({ ...read, raw: null, mark: null }, { ...clean, raw: null, mark: null });
        assert.deepEqual(read.mark, new Uint8Array(message.mark));
      }),
      { numRuns: 200 },
    );
  });

  test('messages of nobody end as a violation, in time', () => {
    const codec = make(order);
    const fails = (data: Uint8Array): void => {
      try {
        codec.decode(data);
      } catch (error) {
        assert.ok(isViolation(error), String(error));
      }
    };
    fc.assert(fc.property(fc.uint8Array(), fails), { numRuns: 500 });
    fc.assert(fc.property(fc.json().map(bytes), fails), { numRuns: 1_000 });
    const deep = (levels: number): string => `${'{"id":"o","next":'.repeat(levels)}7${'}'.repeat(levels)}`;
    assert.throws(
      () => codec.decode(bytes(deep(5_000))),
      (error) => isViolation(error),
    );
    // each branch fails at the very end, and each holds the same two again
    const twin = (name: string, other: unknown) => ({
      type: 'record',
      name,
      fields: [
        { name: 'x', type: ['null', 'A', other] },
        { name: 'end', type: 'int' },
      ],
    });
    const twins = make(twin('A', twin('B', 'B')));
    const bomb = `${'{"x":'.repeat(60)}null${',"end":"x"}'.repeat(60)}`;
    assert.throws(
      () => twins.decode(bytes(bomb)),
      (error) => isViolation(error),
    );
  });
});
