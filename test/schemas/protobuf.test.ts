/** The codec of protobuf: tables of inputs, what others wrote, protobufjs as a second opinion, and bytes of nobody. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import protobufjs from 'protobufjs';
import { isMemphisError } from '../../src/index.ts';
import type { CompiledSchema, StationSchema } from '../../src/model/schema.ts';
import { tableOfDescriptor } from '../../src/schemas/proto-descriptor.ts';
import { protobufCodec, tableOf } from '../../src/schemas/protobuf.ts';
import { recordedSchema } from '../support/recorded-schemas.ts';

const make = (source: string, rest: Partial<StationSchema> = {}): Promise<CompiledSchema> =>
  Promise.resolve(protobufCodec.compile({ name: 's', type: 'protobuf', version: 1, source, ...rest }));

/** As JSON shows it: what protobuf's own mapping makes of 64 bits and bytes, and no defaults. */
const shown = (value: unknown): unknown =>
  JSON.parse(
    JSON.stringify(value, (_, one: unknown) => {
      if (typeof one === 'bigint') return one === 0n ? undefined : String(one);
      if (one instanceof Uint8Array) return one.length === 0 ? undefined : Buffer.from(one).toString('base64');
      if (one === 0 || one === '' || one === 'NEW') return undefined;
      if (typeof one === 'object' && one !== null && Object.keys(one).length === 0) return undefined;
      return one;
    }) ?? '{}',
  );

const kinds = `syntax = "proto3"; package k;
enum Size { SMALL = 0; LARGE = 1; HUGE = -5; }
message Inner { string name = 1; Inner inner = 2; }
message All {
  double a = 1; float b = 2; int32 c = 3; int64 d = 4; uint32 e = 5; uint64 f = 6; sint32 g = 7; sint64 h = 8;
  fixed32 i = 9; fixed64 j = 10; sfixed32 k = 11; sfixed64 l = 12; bool m = 13; string n = 14; bytes o = 15;
  Size p = 16; Inner q = 17; repeated int32 r = 18; repeated string s = 19; repeated Inner t = 20;
  map<string, int64> u = 21; map<int32, Inner> v = 22; map<bool, Size> w = 23;
  oneof choice { string x_one = 24; int32 x_two = 25; } optional int32 y = 26; repeated Size z = 27;
  repeated sint64 aa = 28 [packed = false]; repeated double bb = 29;
}`;

describe('protobuf', () => {
  test('what three SDKs produced is read as they read it, by descriptor and by text', async () => {
    const { schema, messages } = recordedSchema('protobuf');
    for (const codec of [await protobufCodec.compile(schema), await make(schema.source, { messageName: 'Order' })]) {
      for (const { case: name, data, values } of messages) {
        const value = shown(await codec.decode(data));
        assert.ok(Object.keys(values).length >= 2, name);
        for (const [sdk, theirs] of Object.entries(values)) {
          // this SDK hands out one object again and again, with what was in it before
          if (sdk !== 'py') assert.deepEqual(value, shown(theirs), `${name}, read by ${sdk}`);
        }
        assert.deepEqual(await codec.encode(data), data);
      }
    }
  });

  test('the message of a station is found by full name, within its package, nested, by its last part, else the first', async () => {
    const { schema } = recordedSchema('protobuf');
    const bytes = new Uint8Array(Buffer.from(schema.descriptor ?? '', 'base64'));
    const cases = [
      ['Order', 'shop.Order'],
      ['shop.Other', 'shop.Other'],
      ['.shop.Other', 'shop.Other'],
      ['Order.Line', 'shop.Order.Line'],
      ['Line', 'shop.Order.Line'],
      ['', 'shop.Order'],
      [undefined, 'shop.Order'],
    ] as const;
    for (const [messageName, full] of cases) {
      const byDescriptor = tableOfDescriptor(bytes, messageName);
      assert.equal(byDescriptor.messages[byDescriptor.root]?.name, full);
      const byText = await tableOf({ ...schema, descriptor: '', ...(messageName !== undefined && { messageName }) });
      if (messageName !== undefined || full === 'shop.Order') assert.equal(byText.messages[byText.root]?.name, full);
    }
    assert.throws(() => tableOfDescriptor(bytes, 'Nothing'), /no message of that name/);
  });

  test('objects in either spelling, enums by name or number, 64 bits in every form are the same bytes', async () => {
    const { schema } = recordedSchema('protobuf');
    const codec = await protobufCodec.compile(schema);
    const same: readonly (readonly [object, object])[] = [
      [{ first_line: { sku: 's' } }, { firstLine: { sku: 's' } }],
      [{ status: 'PAID' }, { status: 1 }],
      [{ total: '9007199254740993' }, { total: 9007199254740993n }],
      [{ total: 5 }, { total: 5n }],
      [{ total: { low: 1, high: 2097152, unsigned: false } }, { total: 9007199254740993n }],
      [{ raw: 'AQL/' }, { raw: Buffer.from([1, 2, 255]) }],
      [{ raw: '_-8' }, { raw: new Uint8Array([255, 239]) }],
      [{ counts: new Map([['k', 1]]) }, { counts: { k: 1 } }],
      [new Map([['id', 'o']]), { id: 'o' }],
      [{ id: 'o', email: null, tags: undefined }, { id: 'o' }],
      [{ who: { case: 'email', value: 'e' }, $typeName: 'shop.Order', $unknown: [] }, { email: 'e' }],
      [{ id: '', total: 0, status: 'NEW', raw: '', price: 0 }, {}],
      [{ price: '1.5' }, { price: 1.5 }],
    ];
    for (const [one, other] of same) {
      assert.deepEqual(await codec.encode(one), await codec.encode(other), JSON.stringify(Object.keys(one)));
    }
    const Order = protobufjs.parse(schema.source).root.lookupType('shop.Order');
    const instance = Order.create({ id: 'i', total: 7, firstLine: { sku: 's' } });
    assert.deepEqual(await codec.encode(instance), new Uint8Array(Order.encode(instance).finish()));
  });

  test('a field whose name in JSON begins with a dollar sign is written', async () => {
    const source =
      'syntax = "proto3"; message M { string id = 1 [json_name = "$id"]; string type = 2 [json_name = "$typeName"]; }';
    const codec = await protobufCodec.compile({ name: 's', type: 'protobuf', version: 1, source });
    const written = await codec.encode({ $id: 'a', $typeName: 'b' });
    assert.deepEqual(await codec.decode(written), { $id: 'a', $typeName: 'b' });
  });

  test('nothing is lost in silence: each has its path', async () => {
    const { schema } = recordedSchema('protobuf');
    const codec = await protobufCodec.compile(schema);
    const refused: readonly (readonly [object, string])[] = [
      [{ zzz: 1 }, 'zzz'],
      [{ $id: 1 }, '$id'],
      [{ id: 'o', $unknown: [{ no: 99, wireType: 0, data: new Uint8Array([1]) }] }, '$unknown'],
      [{ firstLine: { skuu: 1 } }, 'firstLine.skuu'],
      [{ lines: [{ qty: 1 }, { qty: 'x' }] }, 'lines.1.qty'],
      [{ id: 7 }, 'id'],
      [{ id: '\ud800' }, 'id'],
      [{ total: 2 ** 53 }, 'total'],
      [{ total: 1n << 63n }, 'total'],
      [{ total: '1.5' }, 'total'],
      [{ total: 1.5 }, 'total'],
      [{ status: 'NONE' }, 'status'],
      [{ status: 1.5 }, 'status'],
      [{ email: 'e', phone: 'p' }, 'phone'],
      [{ first_line: {}, firstLine: {} }, 'firstLine'],
      [{ raw: 'a' }, 'raw'],
      [{ raw: 'no base64!' }, 'raw'],
      [{ price: 'much' }, 'price'],
      [{ counts: { k: 2 ** 31 } }, 'counts.k'],
      [{ counts: { k: null } }, 'counts.k'],
      [{ tags: 'one' }, 'tags'],
      [{ tags: [null] }, 'tags.0'],
      [{ lines: {} }, 'lines'],
      [{ firstLine: new Date() }, 'firstLine'],
      [{ counts: new Set(['a']) }, 'counts'],
      [new Date(), ''],
    ];
    for (const [message, path] of refused) {
      assert.throws(
        () => codec.encode(message),
        (error) => isMemphisError(error, 'SCHEMA_VIOLATION') && error.issues?.[0]?.path.join('.') === path,
        path,
      );
    }
    for (const wrong of ['text', [1], null, 7, undefined, () => 1]) {
      assert.throws(() => codec.encode(wrong), { code: 'INVALID_MESSAGE' });
    }
  });

  test('what protobufjs has kept of fields that its class does not know is written again, as it does', async () => {
    const known = 'message Inner { string a = 1; } message A { string a = 1; Inner inner = 2; }';
    const codec = await make(`syntax = "proto3"; ${known}`, { messageName: 'A' });
    const parse = (fields: string) =>
      protobufjs.parse(`syntax = "proto3"; ${fields}`, new protobufjs.Root()).root.lookupType('A');
    const newer = parse(
      'message Inner { string a = 1; int32 b = 9; } message A { string a = 1; Inner inner = 2; repeated int32 c = 3; }',
    );
    const bytes = newer.encode({ a: 'x', inner: { a: 'y', b: 5 }, c: [1, 2] }).finish();
    const older = parse(known);
    const reader = protobufjs.Reader.create(bytes);
    reader.discardUnknown = false;
    const message = older.decode(reader);
    assert.deepEqual(newer.toObject(newer.decode(codec.encode(message) as Uint8Array)), {
      a: 'x',
      inner: { a: 'y', b: 5 },
      c: [1, 2],
    });
    assert.deepEqual(
      Buffer.from((await codec.encode(message)) as Uint8Array),
      Buffer.from(older.encode(message).finish()),
    );
    for (const broken of [Buffer.from([0x1a, 0x05, 0x01]), Buffer.from([0x04]), Buffer.from([0x0a, 0x01, 0xff]), 7]) {
      Object.defineProperty(message, '$unknowns', { value: [broken], configurable: true });
      assert.throws(() => codec.encode(message), { code: 'SCHEMA_VIOLATION' });
    }
    assert.throws(() => codec.encode({ a: 'x', $unknowns: [] }), { code: 'SCHEMA_VIOLATION' });
  });

  test('the same bytes as protobufjs writes, and the same values as it reads, for every kind of field', async () => {
    const codec = await make(kinds, { messageName: 'All' });
    const All = protobufjs.parse(kinds).root.lookupType('k.All');
    const int = (bits: number) => fc.integer({ min: -(2 ** (bits - 1)), max: 2 ** (bits - 1) - 1 });
    const natural = fc.integer({ min: 0, max: 2 ** 32 - 1 });
    const long = fc.maxSafeInteger();
    const value = fc.record(
      {
        a: fc.double({ noNaN: true }),
        b: fc.float({ noNaN: true }),
        c: int(32),
        d: long,
        e: natural,
        f: fc.maxSafeNat(),
        g: int(32),
        h: long,
        i: natural,
        j: fc.maxSafeNat(),
        k: int(32),
        l: long,
        m: fc.boolean(),
        n: fc.string({ unit: 'binary' }),
        o: fc.uint8Array(),
        p: fc.constantFrom(0, 1, -5, 77),
        q: fc.record({ name: fc.string(), inner: fc.record({ name: fc.string() }) }),
        r: fc.array(int(32)),
        s: fc.array(fc.string()),
        t: fc.array(fc.record({ name: fc.string() })),
        u: fc.dictionary(
          fc.string({ minLength: 1 }).filter((key) => key !== '__proto__'),
          long,
        ),
        v: fc.dictionary(fc.nat().map(String), fc.record({ name: fc.string() })),
        w: fc.dictionary(fc.constantFrom('true', 'false'), fc.constantFrom(0, 1)),
        xOne: fc.string(),
        y: int(32),
        z: fc.array(fc.constantFrom(0, 1)),
        aa: fc.array(long),
        bb: fc.array(fc.double({ noNaN: true })),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(value, (message) => {
        const ours = codec.encode(message) as Uint8Array;
        const theirs = All.encode(All.fromObject(message)).finish();
        const read = (bytes: Uint8Array) =>
          All.toObject(All.decode(bytes), { longs: String, enums: String, bytes: String });
        assert.deepEqual(read(ours), read(theirs));
        assert.deepEqual(codec.decode(ours), codec.decode(theirs));
        // what was read is written again as it was
        assert.deepEqual(codec.decode(codec.encode(codec.decode(ours)) as Uint8Array), codec.decode(ours));
      }),
      { numRuns: 150 },
    );
  });

  test('proto2 has required fields, presence, closed enums and groups', async () => {
    const codec =
      await make(`syntax = "proto2"; enum E { A = 1; } message M { required int32 a = 1; optional int32 b = 2 [default = 5];
      repeated int32 c = 3; optional E e = 4; optional group G = 5 { optional string t = 1; } }`);
    assert.throws(() => codec.encode({}), { code: 'SCHEMA_VIOLATION' });
    assert.throws(() => codec.encode({ a: 1, e: 2 }), { code: 'SCHEMA_VIOLATION' });
    assert.deepEqual(codec.encode({ a: 0, b: 0, c: [1, 2] }), new Uint8Array([8, 0, 16, 0, 24, 1, 24, 2]));
    assert.deepEqual(codec.decode(new Uint8Array([8, 1, 0x2b, 10, 1, 120, 0x2c])), { a: 1, g: { t: 'x' }, c: [] });
    assert.throws(() => codec.decode(new Uint8Array([16, 1])), { code: 'SCHEMA_VIOLATION' });
  });

  test('values of maps have lengths where an edition gives messages marks, and an empty one may be left out', async () => {
    const codec = await make(`edition = "2023"; option features.message_encoding = DELIMITED;
      message M { map<string, I> m = 1; I i = 2; message I { int32 x = 1; } }`);
    const bytes = new Uint8Array(Buffer.from('0a070a01611202080113080214', 'hex'));
    assert.deepEqual(codec.encode({ m: { a: { x: 1 } }, i: { x: 2 } }), bytes);
    assert.deepEqual(codec.decode(bytes), { m: { a: { x: 1 } }, i: { x: 2 } });
    assert.deepEqual(codec.decode(new Uint8Array([0x0a, 0])), { m: { '': {} } });
  });

  test('imports are given, or come with protobuf; what is missing, empty or broken does not compile', async () => {
    const source =
      'syntax = "proto3"; import "a.proto"; import "google/protobuf/timestamp.proto"; message M { lib.A a = 1; google.protobuf.Timestamp at = 2; }';
    const imports = { 'a.proto': 'syntax = "proto3"; package lib; message A { string t = 1; }' };
    const codec = await make(source, { imports });
    const value = { a: { t: 'x' }, at: { seconds: 5n, nanos: 0 } };
    assert.deepEqual(codec.decode(await codec.encode({ a: { t: 'x' }, at: { seconds: 5 } })), value);
    for (const broken of [
      source,
      '',
      'syntax = "proto3"; enum E { A = 0; }',
      'message {',
      'syntax = "proto3"; message M { Missing a = 1; }',
    ]) {
      await assert.rejects(make(broken), broken);
    }
  });

  test('what comes with protobuf is taken in the form that JSON has for it', async () => {
    const codec =
      await make(`syntax = "proto3"; import "google/protobuf/timestamp.proto"; import "google/protobuf/duration.proto";
      import "google/protobuf/wrappers.proto"; message M { google.protobuf.Timestamp at = 1; google.protobuf.Duration in = 2;
      google.protobuf.Int64Value n = 3; google.protobuf.BytesValue b = 4; repeated google.protobuf.StringValue s = 5; }`);
    const read = async (message: object): Promise<unknown> => codec.decode(await codec.encode(message));
    const at = { seconds: 1_767_225_599n, nanos: 500_000_000 };
    const rest = { s: [] };
    assert.deepEqual(await read({ at: new Date('2025-12-31T23:59:59.5Z') }), { at, ...rest });
    assert.deepEqual(await read({ at: '2026-01-01T00:59:59.5+01:00' }), { at, ...rest });
    assert.deepEqual(await read({ at: new Date(-500) }), { at: { seconds: -1n, nanos: 500_000_000 }, ...rest });
    assert.deepEqual(await read({ in: '-1.000000001s' }), { in: { seconds: -1n, nanos: -1 }, ...rest });
    assert.deepEqual(await read({ n: 5n, b: new Uint8Array([1]), s: ['x', { value: 'y' }] }), {
      n: { value: 5n },
      b: { value: new Uint8Array([1]) },
      s: [{ value: 'x' }, { value: 'y' }],
    });
    for (const wrong of [
      { at: 'soon' },
      { at: new Date(Number.NaN) },
      { in: '1' },
      { n: 'x' },
      { n: '1.5' },
      { n: '1e99' },
    ]) {
      assert.throws(() => codec.encode(wrong), { code: 'SCHEMA_VIOLATION' });
    }
    assert.deepEqual(await read({ n: '1.5e3' }), { n: { value: 1_500n }, ...rest });
    const loose =
      await make(`syntax = "proto3"; import "google/protobuf/struct.proto"; import "google/protobuf/field_mask.proto";
      message M { google.protobuf.FieldMask mask = 1; repeated google.protobuf.Value v = 2; google.protobuf.ListValue l = 3; }`);
    const given = {
      mask: 'id,firstLine.name',
      v: ['x', 1.5, true, null, ['y'], { structValue: { fields: { a: 'b' } } }],
      l: [1],
    };
    assert.deepEqual(loose.decode(await loose.encode(given)), {
      mask: { paths: ['id', 'first_line.name'] },
      v: [
        { stringValue: 'x' },
        { numberValue: 1.5 },
        { boolValue: true },
        { nullValue: 'NULL_VALUE' },
        { listValue: { values: [{ stringValue: 'y' }] } },
        { structValue: { fields: { a: { stringValue: 'b' } } } },
      ],
      l: { values: [{ numberValue: 1 }] },
    });
    assert.throws(() => loose.encode({ mask: 'a_b' }), { code: 'SCHEMA_VIOLATION' });
    assert.throws(() => loose.encode({ v: [{ a: 1 }] }), { code: 'SCHEMA_VIOLATION' });
  });

  test('bytes of nobody end as a violation, in time', async () => {
    const codec = await make(kinds, { messageName: 'All' });
    const fails = (data: Uint8Array): void => {
      try {
        codec.decode(data);
      } catch (error) {
        assert.ok(isMemphisError(error, 'SCHEMA_VIOLATION'), String(error));
      }
    };
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), fails), { numRuns: 2_000 });
    const whole = codec.encode({
      n: 'text',
      q: { name: 'x', inner: { name: 'y' } },
      r: [1, 2, 3],
      u: { a: 1 },
      o: 'AAAA',
    });
    const mutated = fc.tuple(fc.nat(), fc.nat(255), fc.nat()).map(([at, byte, cut]) => {
      const bytes = (whole as Uint8Array).slice(0, (whole as Uint8Array).length - (cut % 4));
      bytes[at % bytes.length] = byte;
      return bytes;
    });
    fc.assert(fc.property(mutated, fails), { numRuns: 2_000 });
    const deep = (levels: number): Uint8Array => {
      let bytes = new Uint8Array();
      for (let level = 0; level < levels; level++) {
        const length = [...(codec.encode({ r: [bytes.length] }) as Uint8Array)].slice(3);
        bytes = new Uint8Array([0x12, ...length, ...bytes]);
      }
      return bytes;
    };
    assert.throws(
      () =>
        codec.decode(
          new Uint8Array([
            0x8a,
            1,
            ...[...(codec.encode({ r: [deep(500).length] }) as Uint8Array)].slice(3),
            ...deep(500),
          ]),
        ),
      { code: 'SCHEMA_VIOLATION' },
    );
    assert.throws(() => codec.decode(new Uint8Array(1_000_000).fill(0x0b)), { code: 'SCHEMA_VIOLATION' });
    const endless: Record<string, unknown> = {};
    endless.q = { inner: endless };
    assert.throws(
      () => codec.encode({ q: { inner: Array.from({ length: 300 }).reduce((inner) => ({ inner }), {}) } }),
      { code: 'SCHEMA_VIOLATION' },
    );
  });
});
