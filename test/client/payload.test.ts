/** What may be produced, and as which bytes. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { runInNewContext } from 'node:vm';
import { toBytes } from '../../src/client/payload.ts';

const textOf = (message: unknown): string => new TextDecoder().decode(toBytes(message));

class Point {
  readonly x = 1;
}
class Secretive {
  readonly #x = 1;
  get x(): number {
    return this.#x;
  }
}

describe('bytes and text go as they are', () => {
  const bytes = Uint8Array.of(1, 2, 3, 4);
  const cases: readonly (readonly [string, unknown, readonly number[]])[] = [
    ['bytes', bytes, [1, 2, 3, 4]],
    ['a part of some bytes', bytes.subarray(1, 3), [2, 3]],
    ['a Buffer', Buffer.from('é'), [0xc3, 0xa9]],
    ['an ArrayBuffer', bytes.buffer, [1, 2, 3, 4]],
    ['a DataView', new DataView(bytes.buffer, 2), [3, 4]],
    ['numbers of two bytes', Uint16Array.of(1), [1, 0]],
    ['text', 'é', [0xc3, 0xa9]],
    ['no text', '', []],
  ];
  for (const [what, message, expected] of cases) {
    test(what, () => assert.deepEqual([...toBytes(message)], expected));
  }
});

describe('objects go as JSON', () => {
  const cases: readonly (readonly [string, unknown, string])[] = [
    ['an object', { a: [1, null] }, '{"a":[1,null]}'],
    ['an empty one', {}, '{}'],
    ['one without a prototype', Object.create(null), '{}'],
    ['one of another realm', runInNewContext('({})'), '{}'],
    ['a list', [1, 'a'], '[1,"a"]'],
    ['a date', new Date(0), '"1970-01-01T00:00:00.000Z"'],
    ['an instance with fields', new Point(), '{"x":1}'],
    ['an instance that says how', { toJSON: () => 7 }, '7'],
  ];
  for (const [what, message, expected] of cases) test(what, () => assert.equal(textOf(message), expected));
});

describe('what would be lost on the way is refused', () => {
  const circular: Record<string, unknown> = {};
  circular.self = circular;
  const cases: readonly (readonly [string, unknown])[] = [
    ['a number', 7],
    ['a truth value', true],
    ['nothing', undefined],
    ['null', null],
    ['a symbol', Symbol('x')],
    ['a function', () => {}],
    ['a big integer in an object', { a: 1n }],
    ['a circle', circular],
    ['a Map', new Map([[1, 2]])],
    ['a Set', new Set([1])],
    ['an Error', new Error('x')],
    ['a promise that was not awaited', Promise.resolve({ id: 1 })],
    ['a Blob', new Blob(['x'])],
    ['an instance with private fields alone', new Secretive()],
    ['an object whose toJSON returns nothing', { toJSON: () => undefined }],
    ['an object whose toJSON throws', { toJSON: () => assert.fail('mine') }],
  ];
  for (const [what, message] of cases) {
    test(what, () => assert.throws(() => toBytes(message), { code: 'INVALID_MESSAGE' }));
  }
});
