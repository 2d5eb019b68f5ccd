import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseMappings, resolveMappings } from '../../src/poller/mapping.ts';

const base = { station: 'orders', group: 'billing', functionName: 'bill' };

test('fills in the documented defaults', () => {
  assert.deepEqual(resolveMappings('test', [base]), [
    {
      name: 'orders-to-billing',
      station: 'orders',
      group: 'billing',
      functionName: 'bill',
      batchSize: 10,
      batchWindowMs: 0,
      maximumConcurrency: 5,
      reportBatchItemFailures: true,
      maximumRetryAttempts: 9,
      maxAckTimeMs: 30_000,
      backoffBaseMs: 1_000,
      backoffMaxMs: 300_000,
      enabled: true,
    },
  ]);
});

test('takes the mapping of the documentation from JSON text, names in lower case', () => {
  const [mapping] = parseMappings(
    '[{"name":"Orders-to-billing","station":"Orders","group":"billing","functionName":"arn:aws:lambda:eu-west-1:123456789012:function:bill:live","batchSize":100,"batchWindowMs":200}]',
  );
  assert.equal(mapping?.name, 'orders-to-billing');
  assert.equal(mapping?.station, 'orders');
  assert.equal(mapping?.batchSize, 100);
  assert.equal(mapping?.functionName, 'arn:aws:lambda:eu-west-1:123456789012:function:bill:live');
});

for (const [what, given, code, message] of [
  ['no list', base, 'INVALID_OPTION', /list/],
  ['an entry that is no object', [1], 'INVALID_OPTION', /mapping 1 must be an object/],
  ['a missing station', [{ ...base, station: undefined }], 'INVALID_OPTION', /option station .*is missing/],
  ['a missing group', [{ ...base, group: undefined }], 'INVALID_OPTION', /group is missing/],
  ['a missing function', [{ ...base, functionName: undefined }], 'INVALID_OPTION', /functionName is missing/],
  ['a function name with a blank', [{ ...base, functionName: 'a b' }], 'INVALID_OPTION', /functionName/],
  ['a batch size of 0', [{ ...base, batchSize: 0 }], 'INVALID_OPTION', /batchSize must be a whole number/],
  ['a window beyond 300 s', [{ ...base, batchWindowMs: 300_001 }], 'INVALID_OPTION', /batchWindowMs/],
  ['text for a number', [{ ...base, maximumConcurrency: '5' }], 'INVALID_OPTION', /maximumConcurrency/],
  ['an unknown name', [base, { ...base, batchsiez: 5 }], 'INVALID_OPTION', /mapping 2: .*batchsiez. Did you mean/],
  ['a bad station name', [{ ...base, station: 'a b' }], 'INVALID_NAME', /station/],
] as const) {
  test(`refuses ${what}`, () => {
    assert.throws(() => resolveMappings('test', given), { code, message });
  });
}

for (const [what, json, message] of [
  ['nothing', undefined, /MEMPHIS_MAPPINGS/],
  ['an empty text', ' ', /MEMPHIS_MAPPINGS/],
  ['broken JSON', '[{', /not valid JSON/],
] as const) {
  test(`refuses ${what} in the environment`, () => {
    assert.throws(() => parseMappings(json), { code: 'INVALID_OPTION', message });
  });
}
