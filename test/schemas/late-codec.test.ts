/** Batches of a station of which only the name of its schema was known, when a codec is found after all. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Batch } from '../../src/model/batch.ts';
import { MemphisError } from '../../src/model/errors.ts';
import type { StoredMessage } from '../../src/model/message.ts';
import type { StationSchema } from '../../src/model/schema.ts';
import { jsonCodec } from '../../src/schemas/json.ts';
import { siftBatch } from '../../src/schemas/registry.ts';

const message: StoredMessage = {
  id: 's$1:1',
  station: 's',
  partition: 1,
  sequence: 1,
  deliveryCount: 1,
  timestamp: new Date(0),
  headers: {},
  data: new TextEncoder().encode('{"id":1}'),
};

/** @param whole what the broker says when it is asked for the schema */
function named(whole: StationSchema | undefined): Batch {
  return {
    station: 's',
    group: 'g',
    messages: [message],
    maxDeliveries: 10,
    schema: { name: 'order', type: jsonCodec.type, version: 0, source: '', whole: async () => whole },
    settle: () => assert.fail('nothing is settled'),
    extend: async () => {},
  };
}

test('it is read by the schema that the broker tells', async () => {
  const source = '{"type":"object","required":["id"]}';
  const sifted = await siftBatch(named({ name: 'order', type: 'json', version: 1, source }), undefined, 'deadLetter');
  assert.deepEqual(sifted?.batch.decode?.(message), { value: { id: 1 } });
});

test('it is a batch like all others when the schema was detached meanwhile', async () => {
  assert.equal(await siftBatch(named(undefined), undefined, 'deadLetter'), undefined);
});

test('who asks for a value meets why the schema cannot be used', async () => {
  const problem = new MemphisError('SCHEMA_NOT_FOUND', 'gone');
  const gone = { name: 'order', type: '', version: 0, source: '', problem };
  const sifted = await siftBatch(named(gone), undefined, 'deadLetter');
  assert.deepEqual(sifted?.batch.messages, [message]);
  assert.throws(() => sifted?.batch.decode?.(message), { code: 'SCHEMA_NOT_FOUND' });
});
