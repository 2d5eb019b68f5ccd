import assert from 'node:assert/strict';
import { test } from 'node:test';
import { statusByCode, toApiFailure } from '../../src/lambda/api-status.ts';
import { type ErrorCode, errorCodes, MemphisError } from '../../src/model/errors.ts';

const codes = Object.keys(errorCodes) as ErrorCode[];

test('what is listed is an error code', () => {
  for (const code of Object.keys(statusByCode)) assert.ok(Object.hasOwn(errorCodes, code), code);
});

for (const code of codes) {
  test(`${code} is answered without a guess about the client and without inner words`, () => {
    const failure = toApiFailure(new MemphisError(code, 'inner words', { station: 'secret-station' }));
    assert.equal(failure.status, statusByCode[code] ?? 500);
    assert.ok(![401, 403].includes(failure.status));
    assert.ok(failure.message.length > 0);
    assert.doesNotMatch(JSON.stringify(failure), /inner words|secret-station/);
    assert.equal(failure.retryAfterSeconds !== undefined, failure.status === 503);
    // the message may be stored
    assert.equal(/same Idempotency-Key/.test(failure.message), [503, 504].includes(failure.status));
  });
}

test('what passes by itself is a 503, with a longer wait for a station that is full', () => {
  const wait = (code: ErrorCode) => toApiFailure(new MemphisError(code, '')).retryAfterSeconds ?? 0;
  assert.ok(wait('CONNECT_FAILED') > 0);
  assert.ok(wait('STORAGE_FULL') > wait('CONNECT_FAILED'));
});

test('an error of somebody else is a 500', () => {
  for (const error of [new TypeError('x'), 'text', undefined, null]) assert.equal(toApiFailure(error).status, 500);
});
