/** Validators of one's own in place of a schema: synchronous and asynchronous ones. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import * as v from 'valibot';
import type { BatchResponse } from '../../src/envelope/response.ts';
import { each, withMemphis } from '../../src/lambda/index.ts';
import type { StandardSchema } from '../../src/model/standard-schema.ts';
import { readerFor } from '../../src/schemas/registry.ts';
import { standard, useCodec } from '../../src/schemas/standard.ts';
import { makeContext, makeEvent } from '../../src/testing/index.ts';
import { makeBatch } from '../batch/make-batch.ts';

const order = v.object({
  id: v.number(),
  at: v.pipe(
    v.string(),
    v.transform((text) => new Date(text)),
  ),
});
const late: StandardSchema = {
  '~standard': {
    version: 1,
    vendor: 'late',
    validate: async (value) => (value === 1 ? { value: 'one' } : { issues: [{ message: `not "${String(value)}"` }] }),
  },
};

describe('standard', () => {
  test('what is valid is stored as it was given, and read as the validator makes it', async () => {
    const codec = await standard(order).open(undefined);
    const data = (await codec.encode({ id: 1, at: '2026-01-01', more: 2 })) as Uint8Array;
    assert.equal(Buffer.from(data).toString(), '{"id":1,"at":"2026-01-01","more":2}');
    assert.deepEqual(await codec.decode(data), { id: 1, at: new Date('2026-01-01') });
  });

  test('what is not has paths and no value', async () => {
    const codec = await standard(order).open(undefined);
    await assert.rejects(async () => codec.encode({ id: 'secret', at: 'x' }), {
      code: 'SCHEMA_VIOLATION',
      issues: [{ path: ['id'], message: 'Invalid type: Expected number but received (value)' }],
    });
    await assert.rejects(async () => codec.decode(new Uint8Array([123])), { code: 'SCHEMA_VIOLATION' });
    await assert.rejects(async () => codec.encode(7), { code: 'INVALID_MESSAGE' });
    assert.throws(() => standard({} as never), { code: 'INVALID_MESSAGE' });
    const asynchronous = await standard(late).open(undefined);
    assert.equal(await asynchronous.decode(new Uint8Array([49])), 'one');
    await assert.rejects(async () => asynchronous.encode('"secret"'), { code: 'SCHEMA_VIOLATION' });
  });

  test('a pushed batch is sifted too', async (t) => {
    t.mock.method(console, 'error', () => {});
    const seen: unknown[] = [];
    const handler = withMemphis(
      each((value) => void seen.push(value)),
      { schema: standard(late) },
    );
    const answer = await handler(makeEvent({ messages: ['1', '2'] }), makeContext());
    assert.deepEqual(seen, ['one']);
    assert.deepEqual(answer, {
      batchItemFailures: [
        {
          itemIdentifier: 'orders$1:2',
          action: 'deadLetter',
          reason: 'The message does not satisfy schema of late: not "(value)"',
        },
      ],
    });
  });

  test('a validator that fails is the trouble of its message alone, and of who asks for the value', async (t) => {
    t.mock.method(console, 'error', () => {});
    const failing: StandardSchema = {
      '~standard': {
        version: 1,
        vendor: 'failing',
        validate: async (value) => {
          if (value === 2) throw new Error('no answer from the registry');
          return value === 3 ? { issues: [{ message: 'not that' }] } : { value };
        },
      },
    };
    const event = makeEvent({ messages: ['1', '2', '3'] });
    const actionOf = async (handle: Parameters<typeof withMemphis>[0]): Promise<string> => {
      const answer = await withMemphis(handle, { schema: standard(failing), backoffBaseMs: 1_000 })(
        event,
        makeContext(),
      );
      const { batchItemFailures } = answer as BatchResponse;
      return batchItemFailures.map(({ itemIdentifier, action }) => `${itemIdentifier} ${action}`).join();
    };
    assert.equal(await actionOf(each(() => {})), 'orders$1:2 retry,orders$1:3 deadLetter');
    const texts: string[] = [];
    assert.equal(
      await actionOf((messages) => void texts.push(...messages.map((one) => one.text()))),
      'orders$1:3 deadLetter',
    );
    assert.deepEqual(texts, ['1', '2']);
  });

  test('messages whose validation takes long stay with us', async () => {
    const slow: StandardSchema = {
      '~standard': { version: 1, vendor: 'slow', validate: async (value) => await sleep(20, { value }) },
    };
    const { extensions, ...batch } = makeBatch([1, 2, 3], { ackWaitMs: 30 });
    const sifted = await standard(slow).sift(batch, 'deadLetter');
    assert.ok(extensions.length >= 2, `extended ${extensions.length} times`);
    assert.deepEqual(extensions[0], [1, 2, 3]);
    assert.equal(sifted.batch.messages.length, 3);
  });

  test('a codec of ones own stands in the place of ours', async () => {
    const reader = useCodec({
      type: 'avro',
      compile: ({ source }) => ({ encode: () => new TextEncoder().encode(source), decode: () => source }),
    });
    const schema = { name: 's', type: 'avro', version: 1, source: 'mine' };
    assert.ok(reader.covers(schema) && !reader.covers({ ...schema, type: 'json' }));
    assert.equal(await (await reader.open(schema)).decode(new Uint8Array()), 'mine');
    assert.equal(await (await (await readerFor(schema)).open(schema)).decode(new Uint8Array()), 'mine');
    assert.throws(() => useCodec({ type: 'json' } as never), { code: 'INVALID_MESSAGE' });
  });
});
