/** What SDKs of Memphis were recorded to refuse, and which messages they took by which name (`test/fixtures/schemas`). */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseSchema } from '../../src/brokers/memphis/wire/schema-update.ts';
import { isMemphisError } from '../../src/index.ts';
import type { CompiledSchema, SchemaCodec } from '../../src/model/schema.ts';
import { codecs, readRecorded } from '../support/recorded-fixtures.ts';
import { recordedSchema } from '../support/recorded-schemas.ts';

type Input =
  | { readonly object: unknown }
  | { readonly text: string }
  | { readonly base64: string }
  | { readonly bigint: Readonly<Record<string, string>> };

interface Refused {
  readonly type: string;
  readonly case: string;
  readonly by: readonly string[];
  readonly input: Input;
}

function messageOf(input: Input): unknown {
  if ('object' in input) return input.object;
  if ('text' in input) return input.text;
  if ('base64' in input) return new Uint8Array(Buffer.from(input.base64, 'base64'));
  return Object.fromEntries(Object.entries(input.bigint).map(([name, digits]) => [name, BigInt(digits)]));
}

/** What is taken here, though one of them refuses it, and why. */
const taken: Readonly<Record<string, string>> = {
  'json text': 'text is JSON text, in every language',
  'json pybytes': 'bytes are bytes',
  'json u8': 'bytes are bytes',
  'json bad format': 'formats are notes',
  'protobuf enum name': 'Go and Python take names of enums',
  'protobuf int64 as text': 'Go and Python take text',
  'protobuf BigInt total': 'a bigint is what a whole number of 64 bits is',
  'graphql variables': 'JavaScript and Python leave variables open',
  'avro object': 'JavaScript and Python take whole numbers',
  'avro default omitted': 'JavaScript and Python take whole numbers',
  'avro bytes JSON': 'JavaScript and Python take whole numbers',
  'avro union bare string': 'Python takes it bare',
  'avro union wrapped': 'JavaScript takes it wrapped',
};

test('what an SDK refused to produce is refused, but for what another takes', async () => {
  const { refused } = readRecorded<{ readonly refused: readonly Refused[] }>('refused');
  assert.ok(refused.length > 30);
  const open = new Set(Object.keys(taken));
  for (const { type, case: name, by, input } of refused) {
    const { schema } = recordedSchema(type);
    const codec = await (codecs[schema.type] as SchemaCodec).compile(schema);
    const words = `${type} ${name}`;
    if (open.delete(words)) {
      assert.ok((await codec.encode(messageOf(input))).length > 0, words);
      continue;
    }
    await assert.rejects(
      async () => codec.encode(messageOf(input)),
      (error) => isMemphisError(error, 'SCHEMA_VIOLATION') || isMemphisError(error, 'INVALID_MESSAGE'),
      `${words}, refused by ${by}`,
    );
  }
  assert.deepEqual([...open], []);
});

interface Verdict {
  readonly schema: string;
  readonly body: string;
  readonly taken: Readonly<Record<string, boolean>>;
}

test('bytes are taken by the message that a schema names, where an SDK that finds that message takes them', async () => {
  const { updates } = readRecorded<{ readonly updates: readonly { readonly update: object }[] }>('updates');
  const schemas = updates.map(({ update }) => parseSchema(update));
  const { verdicts } = readRecorded<{ readonly verdicts: readonly Verdict[] }>('verdicts');
  const compiled = new Map<string, CompiledSchema>();
  for (const { schema: name, body, taken: by } of verdicts) {
    const schema = schemas.find((one) => one?.name === name) ?? assert.fail(name);
    const codec = compiled.get(name) ?? (await (codecs[schema.type] as SchemaCodec).compile(schema));
    compiled.set(name, codec);
    const data = new TextEncoder().encode(body);
    // a field of another kind is unknown to protobuf, and stays: JavaScript alone refuses it
    const isTaken = schema.type === 'protobuf' || Object.values(by).includes(true);
    if (isTaken) assert.deepEqual(await codec.encode(data), data, `${name} ${body}`);
    else assert.throws(() => codec.encode(data), { code: 'SCHEMA_VIOLATION' }, `${name} ${body}`);
  }
  assert.equal(compiled.size, 6);
});
