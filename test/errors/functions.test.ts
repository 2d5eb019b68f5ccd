/** Functions invoked with anything: events of every kind broken in every place, contexts, environments. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { inspect } from 'node:util';
import middy from '@middy/core';
import { isMemphisError } from '../../src/index.ts';
import { type ProducerContext, produceHandler, withMemphis, withProducer } from '../../src/lambda/index.ts';
import { memphisConsumer, memphisProducer } from '../../src/middy/index.ts';
import { makeContext, makeEvent, makeMemoryBroker, useBroker } from '../../src/testing/index.ts';
import { eventMakers } from '../support/api-events.ts';
import { oddValues } from '../support/odd-values.ts';

const broker = makeMemoryBroker();
const connection = { servers: ['nats://127.0.0.1:4222'] };
const consuming = { ...connection, station: 'orders', group: 'billing' };
let end: ReturnType<typeof useBroker>;

before(async () => {
  end = useBroker(broker);
  await broker.createStation('orders');
});
after(() => end());

const stored = async (): Promise<number> => (await broker.describeStation('orders')).messages;
const show = (value: unknown): string => inspect(value, { depth: 3 }).slice(0, 300);

/** The error of a call, which must be one of ours; nothing where it worked. */
async function errorOf(call: () => unknown, what: string): Promise<unknown> {
  try {
    await call();
    return undefined;
  } catch (error) {
    assert.ok(isMemphisError(error), `${what}: ${show(error)}`);
    return error;
  }
}

/** What JSON can say, as events are made of it; and a field that is missing. */
function* jsonValues(): Generator<readonly [kind: string, value: unknown]> {
  for (const [kind, value] of oddValues()) {
    let json: string | undefined;
    try {
      json = JSON.stringify(value);
    } catch {
      continue;
    }
    if (json !== undefined) yield [kind, JSON.parse(json)];
  }
  yield ['missing', undefined];
}

/** Each place in some JSON: a path of keys. */
function* placesIn(value: unknown, path: readonly string[] = []): Generator<readonly string[]> {
  if (path.length > 0) yield path;
  if (typeof value !== 'object' || value === null) return;
  for (const [key, inner] of Object.entries(value)) yield* placesIn(inner, [...path, key]);
}

/** A copy that differs in one place. */
function changed(value: unknown, [key = '', ...rest]: readonly string[], to: unknown): unknown {
  const copy = (Array.isArray(value) ? [...value] : { ...(value as object) }) as Record<string, unknown>;
  copy[key] = rest.length === 0 ? to : changed(copy[key], rest, to);
  return copy;
}

for (const [source, make] of Object.entries(eventMakers)) {
  test(`a ${source} event with anything in any place is answered, or INVALID_EVENT; 202 means stored once`, async (t) => {
    t.mock.method(console, 'error', () => {});
    const handler = produceHandler({ ...connection, station: 'orders', headers: ['x-trace'] });
    const event = make({ method: 'POST', body: '{"id":1}', headers: { 'x-trace': 'a', 'idempotency-key': 'k' } });
    let accepted = 0;
    for (const path of placesIn(event)) {
      for (const [kind, value] of jsonValues()) {
        const count = await stored();
        const what = `${path.join('.')} is ${kind}`;
        let status = 0;
        // another key each time, unless it is what is broken
        const keyed = JSON.parse(JSON.stringify(event).replaceAll('"k"', `"k${Math.random()}"`));
        const error = await errorOf(async () => {
          const answer = await handler(changed(keyed, path, value), makeContext());
          status = answer.statusCode;
          assert.deepEqual(JSON.parse(JSON.stringify(answer)), answer, 'it travels as JSON');
        }, what);
        if (error !== undefined) assert.ok(isMemphisError(error, 'INVALID_EVENT'), what);
        else assert.ok([202, 400, 405].includes(status), `${what}: ${status}`);
        const isStored = (await stored()) === count + 1;
        if (status !== 202) assert.equal(await stored(), count, what);
        else accepted += isStored ? 1 : 0;
      }
    }
    assert.ok(accepted > 50, String(accepted));
  });
}

const handlers = {
  withMemphis: withMemphis(() => {}, consuming) as (event: unknown, context: unknown) => Promise<unknown>,
  memphisConsumer: middy(() => {}).use(memphisConsumer(consuming)) as unknown as (
    event: unknown,
    context: unknown,
  ) => Promise<unknown>,
};

for (const [name, handler] of Object.entries(handlers)) {
  test(`${name}: a pushed event with anything in any place is answered or INVALID_EVENT; no message is passed over`, async (t) => {
    t.mock.method(console, 'error', () => {});
    const event = makeEvent({ messages: [{ id: 1 }], headers: { a: 'b' }, partitionKey: 'k' });
    for (const path of placesIn(event)) {
      if (path.length === 1 && path[0] === 'eventSource') continue; // then it is no pushed event
      for (const [kind, value] of jsonValues()) {
        const what = `${path.join('.')} is ${kind}`;
        const error = await errorOf(async () => {
          const answer = await handler(changed(event, path, value), makeContext());
          assert.deepEqual(answer, { batchItemFailures: [] });
        }, what);
        if (error === undefined) continue;
        assert.ok(isMemphisError(error, 'INVALID_EVENT'), what);
        assert.ok(error.message.length < 600, what);
      }
    }
  });

  test(`${name}: anything else than a pushed event pulls`, async () => {
    for (const [kind, event] of jsonValues()) {
      const answer = await handler(event, makeContext());
      assert.equal((answer as { station?: string }).station, 'orders', kind);
    }
  });

  test(`${name}: a context may be anything; what tells no time sets no deadline`, async () => {
    while (broker.unsettled('orders', 'billing') > 0) await handler({}, makeContext());
    for (const [kind, value] of oddValues()) {
      if (kind.includes('proxy')) continue;
      for (const context of [value, { getRemainingTimeInMillis: value }, { getRemainingTimeInMillis: () => value }]) {
        if (name === 'memphisConsumer' && (typeof context !== 'object' || context === null)) continue;
        await broker.publish(
          { station: 'orders', partition: 1, data: new Uint8Array(), headers: {}, producerName: 'test' },
          { timeoutMs: 1_000 },
        );
        const isLate = typeof value === 'number' && value <= 0 && context !== value;
        const error = await errorOf(() => handler({}, context), kind);
        assert.equal(error, undefined, kind);
        if (!isLate && kind !== '1.5')
          assert.equal(broker.unsettled('orders', 'billing'), 0, `${kind} as ${show(context)}`);
        await handler({}, makeContext());
      }
    }
  });
}

test('withProducer and memphisProducer: a context may be anything, and so may what is produced', async (t) => {
  const log = t.mock.method(console, 'error', () => {});
  const seen: unknown[] = [];
  const produceOdd = async (value: unknown, context: ProducerContext): Promise<void> => {
    const { produce, memphis } = context as unknown as {
      produce(...args: unknown[]): Promise<unknown>;
      memphis: Record<string, (...args: unknown[]) => Promise<unknown>>;
    };
    const calls: (readonly [string, () => unknown])[] = [
      ['produce', () => produce(value)],
      ['produce with options', () => produce('x', value)],
      ['memphis.produce', () => memphis.produce?.(value, 'x')],
      ['memphis.produceBatch', () => memphis.produceBatch?.('orders', value)],
      ['memphis.produceBatch with options', () => memphis.produceBatch?.('orders', ['x'], value)],
      ['memphis.createProducer', () => memphis.createProducer?.(value)],
      ['memphis.createProducer with options', () => memphis.createProducer?.('orders', value)],
      ['memphis.fetchMessages', () => memphis.fetchMessages?.(value, { group: 'g', batchMaxWaitMs: 0 })],
      ['memphis.fetchMessages with options', () => memphis.fetchMessages?.({ stream: 'orders' }, value)],
    ];
    for (const [what, call] of calls) {
      let promise: unknown;
      assert.doesNotThrow(() => {
        promise = call();
      }, `${what} answers with a promise`);
      const error = await errorOf(() => promise, what);
      if (error !== undefined) seen.push(error);
    }
  };
  const options = { ...connection, station: 'orders', ackWaitMs: 1_000 };
  const wrapped = withProducer(produceOdd, options) as (event: unknown, context: unknown) => Promise<void>;
  const chained = middy(produceOdd as never).use(memphisProducer(options)) as unknown as typeof wrapped;
  for (const [, value] of oddValues()) {
    await wrapped(value, makeContext());
    await wrapped('x', { getRemainingTimeInMillis: value });
    await chained(value, makeContext());
  }
  assert.ok(seen.length > 100);
  assert.equal(log.mock.callCount(), 0, 'what was awaited is not logged');
});

test('what is wrong with the environment is told by each wrapper, by variable and without values', async (t) => {
  const log = t.mock.method(console, 'error', () => {});
  end();
  t.after(() => {
    end = useBroker(broker);
  });
  const secret = 'hunter2hunter2';
  const cases: readonly (readonly [Readonly<Record<string, string>>, RegExp])[] = [
    [{}, /MEMPHIS_SERVERS or MEMPHIS_HOST/],
    [{ MEMPHIS_SERVERS: '  ' }, /MEMPHIS_SERVERS or MEMPHIS_HOST/],
    [{ MEMPHIS_SERVERS: ',' }, /MEMPHIS_SERVERS must be a list/],
    [{ MEMPHIS_SERVERS: 'http://a:1' }, /servers: "http:\/\/a:1" must begin with/],
    [{ MEMPHIS_SERVERS: `nats://me:${secret}%@a:1` }, /bare %/],
    [{ MEMPHIS_SERVERS: `nats://me:${secret}@a:b:c` }, /is no server address/],
    [{ MEMPHIS_HOST: 'a b' }, /is no server address/],
    [{ MEMPHIS_HOST: 'a', MEMPHIS_SERVERS: 'b:1' }, /either servers or host/],
    [{ MEMPHIS_HOST: 'a', MEMPHIS_PORT: '70000' }, /MEMPHIS_PORT must be a whole number/],
    [{ MEMPHIS_HOST: 'a', MEMPHIS_PASSWORD: secret }, /needs a username/],
    [{ MEMPHIS_HOST: 'a', MEMPHIS_CONNECTION_TOKEN: secret, MEMPHIS_CREDS: secret }, /exclude each other/],
    [{ MEMPHIS_HOST: 'a', MEMPHIS_NKEY: `SU${secret}` }, /nkey/],
    [{ MEMPHIS_HOST: 'a', MEMPHIS_ACCOUNT_ID: 'one' }, /MEMPHIS_ACCOUNT_ID must be a whole number/],
    [{ MEMPHIS_HOST: 'a', MEMPHIS_BROKER: 'kafka' }, /MEMPHIS_BROKER must be one of/],
    [{ MEMPHIS_HOST: 'a', MEMPHIS_TLS: 'perhaps' }, /MEMPHIS_TLS must be true/],
    [{ MEMPHIS_HOST: 'a', MEMPHIS_TLS_CERT: secret }, /cert and key together/],
    [{ MEMPHIS_HOST: 'a', MEMPHIS_RECONNECT: '2' }, /MEMPHIS_RECONNECT must be true/],
    [{ MEMPHIS_HOST: 'a', MEMPHIS_TIMEOUT_MS: '1e99' }, /MEMPHIS_TIMEOUT_MS must be/],
  ];
  const names = Object.keys(process.env).filter((name) => name.startsWith('MEMPHIS_'));
  const kept = names.map((name) => [name, process.env[name]] as const);
  t.after(() => Object.assign(process.env, Object.fromEntries(kept)));
  for (const [variables, pattern] of cases) {
    for (const name of names) delete process.env[name];
    Object.assign(process.env, { MEMPHIS_STATION: ' orders ', MEMPHIS_GROUP: 'g', ...variables });
    const functions: readonly (readonly [string, (event: unknown, context: unknown) => Promise<unknown>])[] = [
      ['withMemphis', withMemphis(() => {}) as never],
      ['memphisConsumer', middy(() => {}).use(memphisConsumer()) as never],
      ['withProducer', withProducer(async (_, context: ProducerContext) => context.produce('x') as never) as never],
      [
        'memphisProducer',
        middy(async (_: unknown, context: unknown) => (context as ProducerContext).produce('x')).use(
          memphisProducer(),
        ) as never,
      ],
    ];
    for (const [what, handler] of functions) {
      const error = await errorOf(() => handler({}, makeContext()), what);
      assert.ok(isMemphisError(error, 'INVALID_OPTION'), `${what} ${show(variables)}: ${show(error)}`);
      assert.match(error.message, pattern, what);
      assert.doesNotMatch(inspect(error, { depth: 10 }), /hunter2/, what);
    }
    const answer = await produceHandler()(eventMakers['REST API']?.({ method: 'POST', body: 'x' }), makeContext());
    assert.equal(answer.statusCode, 500);
    assert.match(String(log.mock.calls.at(-1)?.arguments[0]), /INVALID_OPTION/);
    for (const name of Object.keys({ ...variables, MEMPHIS_STATION: '', MEMPHIS_GROUP: '' })) delete process.env[name];
  }
  assert.doesNotMatch(inspect(log.mock.calls.map((call) => call.arguments)), /hunter2/);
});
