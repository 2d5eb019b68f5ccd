/** The codec of GraphQL: what others wrote, inputs, and documents of nobody. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { parse } from 'graphql';
import { isMemphisError } from '../../src/index.ts';
import type { CompiledSchema } from '../../src/model/schema.ts';
import { graphqlCodec } from '../../src/schemas/graphql.ts';
import { recordedSchema } from '../support/recorded-schemas.ts';

const source = `type Query { greeting(name: String, times: Int): String order(id: ID!): Order }
  type Mutation { add(id: ID!): Order } type Order { id: ID! next: Order }`;
const make = (text: string): CompiledSchema =>
  graphqlCodec.compile({ name: 's', type: 'graphql', version: 1, source: text }) as CompiledSchema;
const text = (data: unknown): string => Buffer.from(data as Uint8Array).toString();
const bytes = (document: string): Uint8Array => new TextEncoder().encode(document);
const isViolation = (error: unknown): boolean =>
  isMemphisError(error, 'SCHEMA_VIOLATION') && !/secret|4711/.test(JSON.stringify([error.message, error.issues]));

describe('graphql', () => {
  test('what three SDKs produced is read as they read it, and text that Go put into quotes as well', async () => {
    const { schema, messages } = recordedSchema('graphql');
    const codec = await graphqlCodec.compile(schema);
    for (const { case: name, data, values } of messages) {
      // Go writes of an object nothing, and text in the quotes of JSON, as which no SDK reads it
      if (/^go object/.test(name)) assert.throws(() => codec.decode(data), isViolation, name);
      else if (/^go text/.test(name)) {
        assert.equal(codec.decode(data), JSON.parse(text(data)), name);
        assert.throws(() => codec.encode(data), isViolation, name);
      } else {
        assert.equal(codec.decode(data), values.js, name);
        assert.deepEqual(codec.encode(data), data);
      }
    }
  });

  test('text, bytes and parsed documents are taken; variables may be left open, operations may be many', () => {
    const codec = make(source);
    for (const document of [
      '{ greeting }',
      'query q($id: ID!) { order(id: $id) { id } }',
      'mutation { add(id: "1") { id } }',
      'query a { greeting } query b { greeting }',
      '{ order(id: 1) { ...f } } fragment f on Order { id next { id } }',
      '{ __typename }',
    ]) {
      for (const given of [document, bytes(document), parse(document)])
        assert.equal(text(codec.encode(given)), document);
      assert.equal(codec.decode(bytes(document)), document);
    }
    assert.match(text(codec.encode(parse('{ greeting }', { noLocation: true }))), /greeting/);
  });

  test('what breaks the schema has its place and no value; what is no operation is refused', () => {
    const codec = make(source);
    const cases: readonly (readonly [string, RegExp])[] = [
      ['{ nope }', /Cannot query field \(name\) on type "Query". \(line 1, column 3\)/],
      ['{ greeting(name: 4711) }', /String cannot represent/],
      ['{ greeting(times: "secret") }', /Int cannot represent/],
      ['{ order { id } }', /Argument "Query.order\(id:\)"|argument "id"/],
      ['{ secret', /no document of GraphQL \(line 1, column \d+\)/],
      ['type A { a: Int }', /not executable/],
      ['', /no document/],
      ['"{ greeting }"', /no document/],
      ['query ($x: Secret!) { greeting }', /never used|Unknown type/],
    ];
    for (const [document, words] of cases) {
      assert.throws(
        () => codec.encode(document),
        (error) => isViolation(error) && words.test((error as Error).message),
        document,
      );
    }
    for (const wrong of [{ query: '{ greeting }' }, 7, null, undefined, []]) {
      assert.throws(() => codec.encode(wrong), { code: 'INVALID_MESSAGE' });
    }
  });

  test('what is no schema of a service does not compile', () => {
    for (const broken of ['type A { a: Int }', 'type Query { a: Nothing }', 'type Query {', '{ a }', '']) {
      assert.throws(() => make(broken), broken);
    }
  });

  test('documents of nobody end as a violation, in time', () => {
    const codec = make(source);
    const fails = (data: Uint8Array): void => {
      try {
        codec.decode(data);
      } catch (error) {
        assert.ok(isMemphisError(error, 'SCHEMA_VIOLATION'), String(error));
      }
    };
    fc.assert(fc.property(fc.uint8Array(), fails), { numRuns: 300 });
    const piece = fc.constantFrom(
      '{',
      '}',
      '(',
      ')',
      'greeting',
      'order',
      'id',
      ':',
      '"x"',
      '$v',
      'query',
      '...',
      'on',
      '1',
      ' ',
    );
    fc.assert(
      fc.property(
        fc.array(piece, { maxLength: 30 }).map((all) => bytes(all.join(' '))),
        fails,
      ),
      { numRuns: 500 },
    );
    const whole = 'query q($id: ID!) { order(id: $id) { id next { id } } greeting(name: "x") }';
    const mutated = fc
      .tuple(fc.nat(whole.length - 1), piece)
      .map(([at, one]) => bytes(whole.slice(0, at) + one + whole.slice(at + 1)));
    fc.assert(fc.property(mutated, fails), { numRuns: 300 });
    for (const bomb of [
      '{ order(id: 1) '.repeat(100_000),
      `{ order(id: 1) ${'{ next '.repeat(1_200)}{ id }${' }'.repeat(1_201)}`,
      `{ ${'greeting '.repeat(3_900)} }`,
      `{ ${'...f '.repeat(900)} } fragment f on Query { ${'order(id: 1) { id } '.repeat(300)} }`,
    ]) {
      fails(bytes(bomb));
    }
  });
});
