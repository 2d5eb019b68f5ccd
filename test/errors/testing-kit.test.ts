/** The testing kit given anything: a wrong option is said, where a test would otherwise hold without having shown a thing. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { errorCodes, isMemphisError } from '../../src/index.ts';
import {
  ensureNatsServer,
  makeContext,
  makeEvent,
  makeFakeClock,
  makeMemoryBroker,
  startBroker,
  startFunction,
  useBroker,
} from '../../src/testing/index.ts';
import { oddValues } from '../support/odd-values.ts';

type Call = (value: never) => unknown;

/** Calls, and the names of their options with a value that is right. */
const calls: readonly (readonly [string, Call, Readonly<Record<string, unknown>>])[] = [
  ['makeContext', makeContext, { timeoutMs: 1, functionName: 'f', awsRequestId: 'r', now: () => 1 }],
  [
    'makeEvent',
    makeEvent,
    {
      messages: ['a'],
      station: 's',
      group: 'g',
      mapping: 'm',
      partition: 2,
      deliveryCount: 3,
      timestamp: new Date(),
      headers: { a: 'b' },
      partitionKey: 'k',
      details: () => ({}),
    },
  ],
  ['makeMemoryBroker', makeMemoryBroker, { clock: makeFakeClock(), maxPayloadBytes: 5 }],
];

function outcome(call: () => unknown, what: string): boolean {
  try {
    call();
    return true;
  } catch (error) {
    assert.ok(isMemphisError(error), `${what}: ${inspect(error)}`);
    assert.ok(Object.hasOwn(errorCodes, error.code) && error.message.length < 500, what);
    return false;
  }
}

for (const [name, call, good] of calls) {
  test(`${name} takes or refuses any value, and refuses what it does not know`, () => {
    assert.ok(outcome(() => call(good as never), 'all options'));
    for (const [kind, value] of oddValues()) {
      const isTaken = outcome(() => call(value as never), kind);
      if (['a frozen object', 'a promise', 'a map', 'a list'].includes(kind)) assert.ok(!isTaken, kind);
      for (const option of Object.keys(good)) {
        if (typeof good[option] === 'function' && typeof value === 'function') continue; // what it throws is its own
        outcome(() => call({ ...good, [option]: value } as never), `${option} is ${kind}`);
      }
      assert.ok(!outcome(() => call({ ...good, unknown: value } as never), kind), `an unknown option that is ${kind}`);
    }
  });
}

test('makeEvent takes or refuses details and messages of any kind', () => {
  for (const [kind, value] of oddValues()) {
    outcome(() => makeEvent({ messages: [value] }), `a message that is ${kind}`);
    outcome(() => makeEvent({ messages: ['a'], details: () => value as never }), `details that are ${kind}`);
    for (const field of ['partition', 'sequence', 'deliveryCount', 'timestamp', 'headers', 'partitionKey']) {
      outcome(() => makeEvent({ messages: ['a'], details: () => ({ [field]: value }) }), `${field} is ${kind}`);
    }
  }
});

test('a clock goes forward by whole milliseconds, and useBroker takes brokers', async () => {
  for (const [kind, value] of oddValues()) {
    outcome(() => makeFakeClock(value as never), `a start that is ${kind}`);
    const clock = makeFakeClock(0);
    const isRefused = await clock.advance(value as never).then(
      () => false,
      (error: unknown) => isMemphisError(error, 'INVALID_OPTION'),
    );
    assert.equal(isRefused, kind !== '-0', kind);
    assert.equal(clock.now(), 0);
    if (kind.includes('proxy')) continue;
    assert.ok(!outcome(() => useBroker(value as never), `a broker that is ${kind}`));
  }
});

test('what starts programs refuses wrong options before it starts anything', async () => {
  for (const [kind, value] of oddValues()) {
    for (const start of [startBroker, startFunction, ensureNatsServer]) {
      await assert.rejects(
        start({ unknown: value } as never),
        (error) => isMemphisError(error, 'INVALID_OPTION'),
        kind,
      );
    }
  }
});

test('an event that JSON cannot write is refused before a function is started', async () => {
  await using owned = await startFunction({ handler: 'nowhere.handler' });
  for (const kind of ['a bigint', 'an object in a circle', 'an object that fails as text']) {
    await assert.rejects(owned.invoke(oddValues().get(kind)), (error) => isMemphisError(error, 'INVALID_EVENT'), kind);
  }
  assert.equal(owned.pid, undefined);
});
