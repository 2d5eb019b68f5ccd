/** The poller given anything: options, mappings, variables, signals, contexts, and functions of its users that fail. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { inspect } from 'node:util';
import { LambdaClient } from '@aws-sdk/client-lambda';
import fc from 'fast-check';
import { connect, isMemphisError } from '../../src/index.ts';
import { mappingOptions, pollerOptions } from '../../src/model/options/poller.ts';
import { createPoller, pollerHandler } from '../../src/poller/index.ts';
import { parseMappings } from '../../src/poller/mapping.ts';
import { makeContext, makeMemoryBroker, useBroker } from '../../src/testing/index.ts';
import { oddValues } from '../support/odd-values.ts';

const connection = { servers: ['nats://127.0.0.1:4222'] };
const mapping = { station: 'orders', group: 'billing', functionName: 'bill' };
const lambda = { send: async () => ({}) };

function outcome(call: () => unknown, what: string): unknown {
  try {
    return call();
  } catch (error) {
    const isOurs = isMemphisError(error, 'INVALID_OPTION') || isMemphisError(error, 'INVALID_NAME');
    assert.ok(isOurs, `${what}: ${inspect(error)}`);
    assert.ok(error.message.length < 500, what);
    return undefined;
  }
}

test('each option, and each field of a mapping, takes or refuses any value', () => {
  const options = [...Object.keys(pollerOptions), 'mappings', 'connection', 'lambda', 'onError', 'unknown'];
  const good = { mappings: [mapping], connection, lambda };
  for (const [kind, value] of oddValues()) {
    for (const make of [createPoller, pollerHandler]) {
      outcome(() => make(value as never), kind);
      for (const option of options) {
        const made = outcome(() => make({ ...good, [option]: value } as never), `${option} is ${kind}`);
        if (option === 'unknown' || (option === 'connection' && kind === 'a promise')) {
          assert.ok(value === undefined || made === undefined, kind);
        }
      }
      for (const field of [...Object.keys(mappingOptions), 'unknown']) {
        const mappings = [{ ...mapping, [field]: value }];
        outcome(() => make({ ...good, mappings } as never), `${field} of a mapping is ${kind}`);
      }
      outcome(() => make({ ...good, mappings: [value] } as never), `a mapping is ${kind}`);
    }
  }
});

test('any text in MEMPHIS_MAPPINGS is a list of mappings or refused, and so is any JSON', () => {
  fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (text) => void outcome(() => parseMappings(text), text)));
  const field = fc.constantFrom(...Object.keys(mappingOptions), 'x');
  const lists = fc.array(fc.dictionary(field, fc.jsonValue()), { maxLength: 3 });
  fc.assert(
    fc.property(lists, (list) => {
      const mappings = outcome(() => parseMappings(JSON.stringify(list)), JSON.stringify(list));
      if (mappings !== undefined) assert.equal((mappings as unknown[]).length, list.length);
    }),
  );
});

test('what a run is told to stop with is a signal, or refused', async () => {
  await using _ = disposable(useBroker(makeMemoryBroker()));
  const poller = createPoller({ mappings: [{ ...mapping, enabled: false }], connection, lambda });
  for (const [kind, value] of oddValues()) {
    const isNothing = value === undefined || ['an empty object', 'an object without prototype'].includes(kind);
    const refused = (error: unknown): boolean => isMemphisError(error, 'INVALID_OPTION');
    if (isNothing) await poller.run(value as never);
    else await assert.rejects(poller.run(value as never), refused, kind);
    if (value !== undefined) await assert.rejects(poller.run({ signal: value as never }), refused, kind);
    await assert.rejects(poller.run({ unknown: value } as never), refused, kind);
  }
});

for (const [how, onError] of [
  [
    'at once',
    () => {
      throw new Error('onError failed at once');
    },
  ],
  ['later', async () => Promise.reject(new Error('onError failed later'))],
] as const) {
  test(`an onError that fails ${how} ends neither the run nor the process, and is told`, async (t) => {
    const log = t.mock.method(console, 'error', () => {});
    const broker = makeMemoryBroker();
    await using _ = disposable(useBroker(broker));
    const memphis = await connect();
    await memphis.createStation('orders');
    for (let i = 0; i < 3; i++) await memphis.produce('orders', `message ${i}`);
    let calls = 0;
    const poller = createPoller({
      mappings: [
        { ...mapping, batchSize: 1, maximumConcurrency: 1, backoffBaseMs: 0, backoffMaxMs: 0 },
        { ...mapping, name: 'other', station: 'missing' },
      ],
      connection: memphis,
      // the first answer is none that can be read
      lambda: { send: async () => ({ Payload: new TextEncoder().encode(calls++ === 0 ? '7' : '') }) },
      onError,
      idleExitMs: 20,
    });
    const { mappings } = await poller.run();
    assert.deepEqual(
      mappings.map(({ acked, retried }) => [acked, retried]),
      [
        [3, 1],
        [0, 0],
      ],
    );
    assert.equal(broker.unsettled('orders', 'billing'), 0);
    await sleep(10);
    const lines = log.mock.calls.map((call) => String(call.arguments[0]));
    assert.ok(lines.some((line) => line.includes('FUNCTION_FAILED')));
    assert.ok(lines.some((line) => line.includes(`onError failed: Error: onError failed ${how}`)));
    await memphis.close();
  });
}

test('a context that tells far more time than timers can hold does not end the run at once', async () => {
  const broker = makeMemoryBroker();
  await using _ = disposable(useBroker(broker));
  await broker.createStation('orders');
  for (let i = 0; i < 3; i++) {
    await broker.publish(
      { station: 'orders', partition: 1, data: new Uint8Array(), headers: {}, producerName: 'test' },
      { timeoutMs: 1_000 },
    );
  }
  const handler = pollerHandler({ mappings: [mapping], connection, lambda, idleExitMs: 20 });
  const { mappings } = await handler({}, { getRemainingTimeInMillis: () => Number.MAX_SAFE_INTEGER });
  assert.equal(mappings[0]?.acked, 3);
});

test('settings of the SDK with which nothing can be sent spend no delivery: the messages go back', async (t) => {
  const log = t.mock.method(console, 'error', () => {});
  const credentials = { accessKeyId: 'a', secretAccessKey: 'hunter2hunter2' };
  const region = 'eu-central-1';
  const settings: readonly (readonly [string, object])[] = [
    ['credentials that cannot be had', { region, credentials: async () => Promise.reject(new Error('no vault')) }],
    ['credentials that are none', { region, credentials: {} }],
    ['a region that is none', { region: 'a b', credentials }],
    ['an address that is none', { region, credentials, endpoint: 'nonsense' }],
  ];
  for (const [what, given] of settings) {
    for (const lambdaOf of [given, new LambdaClient(given)]) {
      const broker = makeMemoryBroker();
      await using _ = disposable(useBroker(broker));
      await broker.createStation('orders');
      await broker.publish(
        { station: 'orders', partition: 1, data: new Uint8Array(), headers: {}, producerName: 'test' },
        { timeoutMs: 1_000 },
      );
      const handler = pollerHandler({
        mappings: [{ ...mapping, maximumRetryAttempts: 0 }],
        connection,
        lambda: lambdaOf,
      });
      const { mappings } = await handler({}, makeContext({ timeoutMs: 5_000 }));
      assert.equal(mappings[0]?.givenBack, 1, what);
      assert.match(mappings[0]?.error ?? '', /^INVOKE_FAILED/, what);
      assert.equal(broker.deadLetters.length, 0, what);
      assert.equal(broker.unsettled('orders', 'billing'), 1, what);
    }
  }
  assert.doesNotMatch(inspect(log.mock.calls.map((call) => call.arguments)), /hunter2/);
});

function disposable(end: () => void): AsyncDisposable {
  return { [Symbol.asyncDispose]: async () => end() };
}
