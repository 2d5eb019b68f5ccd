/** Every schema that was recorded with a broker, and what SDKs took for valid by it (`test/fixtures/schemas`). */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseSchema } from '../../src/brokers/memphis/wire/schema-update.ts';
import { isMemphisError } from '../../src/index.ts';
import type { CompiledSchema, SchemaCodec } from '../../src/model/schema.ts';
import { jsonCodec } from '../../src/schemas/json.ts';
import { codecs, readRecorded } from '../support/recorded-fixtures.ts';

/** An operation by each schema of GraphQL. */
const operations: Readonly<Record<string, string>> = {
  'push-gql': '{ __typename }',
  'sa-gql': '{ __typename }',
  'x-graphql': '{ greeting }',
};

test('schemas are read as replies and pushes tell them, by the message that they name', async () => {
  const { updates } = readRecorded<{
    readonly updates: readonly { readonly recording: string; readonly update: object }[];
  }>('updates');
  assert.ok(updates.length > 20);
  const types = new Set<string>();
  for (const { recording, update } of updates) {
    const schema = parseSchema(update);
    assert.ok(schema !== undefined, recording);
    types.add(schema.type);
    const compile = async (): Promise<CompiledSchema> => (codecs[schema.type] as SchemaCodec).compile(schema);
    if (schema.name === 'ms-nope') await assert.rejects(compile, /no message of that name/);
    else {
      const codec = await compile();
      if (schema.type === 'graphql') assert.ok(codec.encode(operations[schema.name]));
      if (schema.type === 'protobuf')
        assert.throws(() => codec.encode({ noSuchField: 1 }), { code: 'SCHEMA_VIOLATION' });
    }
  }
  assert.deepEqual([...types].sort(), Object.keys(codecs).sort());
});

interface Draft {
  readonly name: string;
  readonly source: string;
  readonly messages: readonly { readonly message: string; readonly taken: Readonly<Record<string, boolean>> }[];
}

test('of each dialect messages are valid that Go and Python take for valid', async () => {
  const { schemas } = readRecorded<{ readonly schemas: readonly Draft[] }>('drafts');
  let compared = 0;
  for (const { name, source, messages } of schemas) {
    const codec = await jsonCodec.compile({ name, type: 'json', version: 1, source });
    for (const { message, taken } of messages) {
      let isValid = true;
      try {
        codec.encode(message);
      } catch (error) {
        assert.ok(isMemphisError(error, 'SCHEMA_VIOLATION'), name);
        isValid = false;
      }
      if (taken.go === undefined || taken.go !== taken.py) continue;
      assert.equal(isValid, taken.go, `${name}: ${message} ${JSON.stringify(taken)}`);
      compared++;
    }
  }
  assert.ok(compared > 40, String(compared));
});

interface Pushed {
  readonly schema: string;
  readonly body: string;
  readonly js: boolean;
  readonly go: boolean;
}

test('after each push those bytes are taken that JavaScript and Go took', async () => {
  const { updates } = readRecorded<{
    readonly updates: readonly { readonly recording: string; readonly update: object }[];
  }>('updates');
  const schemas = updates.map(({ update }) => parseSchema(update));
  const { pushes } = readRecorded<{ readonly pushes: readonly Pushed[] }>('pushes');
  assert.equal(new Set(pushes.map(({ schema }) => schema)).size, 5);
  for (const { schema: name, body, js, go } of pushes) {
    assert.equal(js, go, name);
    const schema = schemas.find((one) => one?.name === name) ?? assert.fail(name);
    const codec = await (codecs[schema.type] as SchemaCodec).compile(schema);
    const data = new TextEncoder().encode(body);
    if (js) assert.deepEqual(await codec.encode(data), data, `${name} ${body}`);
    else assert.throws(() => codec.encode(data), { code: 'SCHEMA_VIOLATION' }, `${name} ${body}`);
  }
});
