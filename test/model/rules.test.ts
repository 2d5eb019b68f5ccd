/** Names, backoff, deadlines and outcomes: the small pure rules, by tables and properties. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { backoffMs } from '../../src/model/backoff.ts';
import { defaultReserveMs, workTimeMs } from '../../src/model/deadline.ts';
import { isMemphisError, MemphisError } from '../../src/model/errors.ts';
import { DeadLetter, outcomeOfError, RetryLater, withinDeliveries } from '../../src/model/outcome.ts';
import { checkName, toInternalName } from '../../src/model/station.ts';

test('names are lowered and checked before anything is sent', () => {
  assert.equal(checkName('station', 'My.Station_1-a'), 'my.station_1-a');
  assert.equal(checkName('group', 'a'.repeat(128)).length, 128);
  for (const bad of [
    '',
    'a'.repeat(129),
    '.a',
    'a.',
    '-a',
    'a_',
    'a b',
    'a$1',
    'a#b',
    'a*',
    'a>',
    'ä',
    'a\n',
    7,
    null,
    undefined,
  ]) {
    assert.throws(
      () => checkName('station', bad),
      (error) => isMemphisError(error, 'INVALID_NAME'),
      String(bad),
    );
  }
  assert.equal(toInternalName('my.st.x'), 'my#st#x');
});

test('backoff doubles, is never below half and never above the limit', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 100 }), fc.double({ min: 0, max: 0.999, noNaN: true }), (attempt, random) => {
      const waitMs = backoffMs({ baseMs: 100, maxMs: 5_000 }, attempt, () => random);
      const ceiling = Math.min(5_000, 100 * 2 ** Math.min(attempt - 1, 30));
      assert.ok(waitMs >= Math.floor(ceiling / 2) && waitMs <= ceiling);
    }),
  );
});

test('the reserve leaves room for work in the shortest invocation and for settling in the longest', () => {
  assert.equal(defaultReserveMs(1_000), 500);
  assert.equal(defaultReserveMs(3_000), 1_000);
  assert.equal(defaultReserveMs(900_000), 90_000);
  assert.equal(workTimeMs({ getRemainingTimeInMillis: () => 3_000 }, undefined), 2_000);
  assert.equal(workTimeMs({ getRemainingTimeInMillis: () => 3_000 }, 200), 2_800);
  assert.equal(workTimeMs({}, undefined), Number.POSITIVE_INFINITY);
  assert.equal(workTimeMs(undefined, 5), Number.POSITIVE_INFINITY);
});

test('an error stands for the outcome that it says, an ordinary one for a retry after the given delay', () => {
  assert.deepEqual(outcomeOfError(new RetryLater({ delayMs: 7, reason: 'busy' }), 99), {
    action: 'retry',
    delayMs: 7,
    reason: 'busy',
  });
  for (const error of [new DeadLetter({ reason: 'bad' }), new DeadLetter('bad')]) {
    assert.deepEqual(outcomeOfError(error, 99), { action: 'deadLetter', reason: 'bad' });
  }
  assert.deepEqual(outcomeOfError(new TypeError('x'), 99), { action: 'retry', delayMs: 99, reason: 'TypeError: x' });
  assert.deepEqual(outcomeOfError(undefined, 99), {
    action: 'retry',
    delayMs: 99,
    reason: 'thrown value of type undefined',
  });
  assert.throws(() => new RetryLater({ delayMs: Number.NaN }), RangeError);
});

test('a retry on the last delivery is a dead letter; nothing else is touched', () => {
  const retry = { action: 'retry', delayMs: 5, reason: 'no' } as const;
  assert.equal(withinDeliveries(retry, 2, 3), retry);
  assert.deepEqual(withinDeliveries(retry, 3, 3), { action: 'deadLetter', reason: 'no deliveries left (3 of 3): no' });
  for (const outcome of [{ action: 'ack' }, { action: 'giveBack' }, { action: 'deadLetter', reason: 'r' }] as const) {
    assert.equal(withinDeliveries(outcome, 9, 3), outcome);
  }
});

test('asking for one code narrows to it, and leaves the others to be asked for', () => {
  const nameOf = (error: MemphisError): 'closed' | 'TIMEOUT' | 'other' => {
    if (isMemphisError(error, 'CLOSED')) return (error.code satisfies 'CLOSED') && 'closed';
    return isMemphisError(error, 'TIMEOUT') ? error.code : 'other';
  };
  assert.equal(nameOf(new MemphisError('CLOSED', 'x')), 'closed');
  assert.equal(nameOf(new MemphisError('TIMEOUT', 'x')), 'TIMEOUT');
  assert.equal(nameOf(new MemphisError('UNSUPPORTED', 'x')), 'other');
});

test('errors are recognised across copies by their brand, never by class', () => {
  const foreign = Object.assign(new Error('x'), { code: 'TIMEOUT', [Symbol.for('memphis-serverless.error')]: true });
  assert.ok(isMemphisError(foreign, 'TIMEOUT'));
  assert.ok(!isMemphisError(foreign, 'CLOSED'));
  assert.ok(!isMemphisError(Object.assign(new Error('x'), { code: 'TIMEOUT' })));
  assert.equal(new MemphisError('TIMEOUT', 'x').retryable, true);
  assert.equal(new MemphisError('TIMEOUT', 'x', { retryable: false }).retryable, false);
});
