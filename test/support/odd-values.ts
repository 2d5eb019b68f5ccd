/** What users of plain JavaScript may hand in where something else is expected: values of every kind, well-meant and not. */

const revoked = (): object => {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
};
const fail = (): never => {
  throw new Error('this cannot be read');
};
const detached = (): Uint8Array => {
  const bytes = new Uint8Array(8);
  structuredClone(bytes.buffer, { transfer: [bytes.buffer] });
  return bytes;
};

/** Values by what they are; made anew at each call, since some are used up. */
export function oddValues(): ReadonlyMap<string, unknown> {
  return new Map<string, unknown>([
    ['undefined', undefined],
    ['null', null],
    ['NaN', Number.NaN],
    ['-0', -0],
    ['-1', -1],
    ['1.5', 1.5],
    ['Infinity', Number.POSITIVE_INFINITY],
    ['a number beyond all integers', 2 ** 53],
    ['a bigint', 5n],
    ['true', true],
    ['a symbol', Symbol('odd')],
    ['an empty text', ''],
    ['a blank text', ' \t'],
    ['digits as text', '5'],
    ['a long text', 'x'.repeat(100_000)],
    ['half a surrogate pair', '\ud800'],
    ['a text with a line break', 'a\r\nb'],
    ['__proto__', '__proto__'],
    ['constructor', 'constructor'],
    ['an empty list', []],
    ['a list', ['a', 'b']],
    ['a list with a hole', new Array(2)],
    ['a list of nothing', [null]],
    ['an empty object', {}],
    ['an object without prototype', Object.create(null)],
    ['a frozen object', Object.freeze({ unknown: 1 })],
    ['an object with the field __proto__', JSON.parse('{"__proto__": {"batchSize": 1}}')],
    ['an object with fields of Object', { constructor: 1, toString: 2, hasOwnProperty: 3 }],
    ['an object that inherits', Object.create({ batchSize: 'many' })],
    ['an object with a getter that throws', Object.defineProperty({}, 'async', { get: fail, enumerable: true })],
    ['an object that fails as text', { toString: fail, toJSON: fail, [Symbol.toPrimitive]: fail }],
    ['a thenable that throws', Object.defineProperty({}, 'then', { get: fail, enumerable: true })],
    ['a promise', Promise.resolve({})],
    ['a function', () => 1],
    ['a class', class Odd {}],
    ['a map', new Map([['batchSize', 1]])],
    ['a set', new Set(['orders'])],
    ['a date', new Date(0)],
    ['a date that is none', new Date(Number.NaN)],
    ['a pattern', /odd/g],
    ['a boxed text', new String('orders')],
    ['bytes', new Uint8Array([1, 2, 3])],
    ['bytes that went elsewhere', detached()],
    ['an error', new Error('odd')],
    ['a revoked proxy', revoked()],
    [
      'a proxy that answers nothing',
      new Proxy({}, { get: fail, has: fail, ownKeys: fail, getPrototypeOf: fail, getOwnPropertyDescriptor: fail }),
    ],
    ['an object in a circle', inCircle()],
  ]);
}

function inCircle(): object {
  const circle: { self?: unknown } = {};
  circle.self = circle;
  return circle;
}
