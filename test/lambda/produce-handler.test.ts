import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import fc from 'fast-check';
import * as v from 'valibot';
import type { ApiAnswer } from '../../src/lambda/api-event.ts';
import { makeProduceHandler, type ProduceHandlerOptions, produceHandler } from '../../src/lambda/produce-handler.ts';
import { isMemphisError, MemphisError } from '../../src/model/errors.ts';
import { makeContext } from '../../src/testing/make-context.ts';
import { eventMakers, makeAlbEvent, makeHttpEvent, makeRestEvent, makeUrlEvent } from '../support/api-events.ts';
import { type FakeBehaviour, makeFakeDataSide } from '../support/fake-data-side.ts';
import { watchProcess } from '../support/process-watch.ts';

const orderSchema = v.object({ id: v.string(), amountCents: v.pipe(v.number(), v.minValue(1)) });
const order = '{ "id": "a",  "amountCents": 12 }';

function start(options: ProduceHandlerOptions = {}, behaviour: FakeBehaviour = {}) {
  const fake = makeFakeDataSide(behaviour);
  const handler = makeProduceHandler({ station: 'orders', ...options }, fake.load);
  const texts = (): string[] => fake.produced.map(({ message }) => new TextDecoder().decode(message as Uint8Array));
  return { ...fake, handler, texts };
}
const bodyOf = (answer: ApiAnswer) => JSON.parse(answer.body);
const header = (answer: ApiAnswer, name: string) => answer.headers?.[name] ?? answer.multiValueHeaders?.[name]?.[0];
const failing = (error: unknown): FakeBehaviour => ({ onProduce: () => Promise.reject(error) });
const settle = async (): Promise<void> => {
  for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve));
};
const mockTime = (t: TestContext): void => t.mock.timers.enable({ apis: ['setTimeout', 'Date'], now: 1_000_000 });

for (const [source, make] of Object.entries(eventMakers)) {
  test(`a POST by ${source} is stored as it was sent and answered 202`, async () => {
    const { handler, texts } = start({ schema: orderSchema });
    const answer = await handler(make({ body: order }), makeContext());
    assert.equal(answer.statusCode, 202);
    assert.equal(header(answer, 'Content-Type'), 'application/json');
    assert.deepEqual(bodyOf(answer), { station: 'orders', partition: 1, sequence: 1, duplicate: false });
    assert.deepEqual(texts(), [order]);
  });

  test(`an Idempotency-Key by ${source} stores a repeated request once`, async () => {
    const { handler, produced } = start();
    const event = make({ headers: { 'Idempotency-Key': ' key-1 ' }, body: 'x' });
    assert.equal(bodyOf(await handler(event)).duplicate, false);
    const again = await handler(event);
    assert.deepEqual([again.statusCode, bodyOf(again).duplicate, produced.length], [202, true, 1]);
    assert.equal(produced[0]?.options.msgId, 'key-1');
  });

  test(`any method but POST and PUT by ${source} is a 405 that names them`, async () => {
    const { handler, produced } = start();
    for (const method of ['GET', 'DELETE', 'OPTIONS', 'PATCH', '']) {
      const answer = await handler(make({ method, body: 'x' }));
      assert.equal(answer.statusCode, 405);
      assert.equal(header(answer, 'Allow'), 'POST, PUT');
    }
    assert.equal((await handler(make({ method: 'PUT', body: 'x' }))).statusCode, 202);
    assert.equal(produced.length, 1);
  });
}

test('bytes of a base64 body are stored as they are', async () => {
  const { handler, produced } = start();
  const bytes = Uint8Array.of(0, 1, 255);
  await handler(makeHttpEvent({ body: bytes }));
  assert.deepEqual(produced[0]?.message, bytes);
});

test('without an Idempotency-Key the ids of the gateway are not taken for one', async () => {
  const { handler, produced } = start();
  await handler(makeRestEvent({ body: 'x' }));
  assert.equal(produced[0]?.options.msgId, undefined);
});

for (const [what, options, event] of [
  ['an empty body', {}, makeRestEvent({ body: '' })],
  ['no body', {}, makeHttpEvent({})],
  ['a body that is no base64', {}, { ...makeRestEvent(), body: '%%%', isBase64Encoded: true }],
  ['no JSON where a schema wants it', { schema: orderSchema }, makeRestEvent({ body: '{"id"' })],
  ['JSON in something else than UTF-8', { schema: v.unknown() }, makeRestEvent({ body: Uint8Array.of(34, 200, 34) })],
  ['an empty idempotency key', {}, makeRestEvent({ headers: { 'Idempotency-Key': ' ' }, body: 'x' })],
  ['a huge idempotency key', {}, makeRestEvent({ headers: { 'Idempotency-Key': 'k'.repeat(256) }, body: 'x' })],
  ['no partition key in the header', { partitionKey: { header: 'x-key' } }, makeRestEvent({ body: 'x' })],
  ['no partition key in the path', { partitionKey: { path: 'id' } }, makeRestEvent({ body: 'x' })],
  ['no partition key in the query', { partitionKey: { query: 'id' } }, makeAlbEvent({ body: 'x' })],
  ['no array where a batch is wanted', { batch: true }, makeRestEvent({ body: '{}' })],
  ['an empty batch', { batch: true }, makeRestEvent({ body: '[]' })],
  ['a batch that is no JSON', { batch: true }, makeRestEvent({ body: '[1,]' })],
  ['a batch nested beyond reason', { batch: true }, makeRestEvent({ body: '['.repeat(1_000_000) })],
] satisfies [string, ProduceHandlerOptions, object][]) {
  test(`${what} is a 400 and nothing is stored`, async () => {
    const { handler, produced } = start(options);
    const answer = await handler(event, makeContext());
    assert.equal(answer.statusCode, 400);
    assert.equal(bodyOf(answer).error.code, 'INVALID_MESSAGE');
    assert.equal(produced.length, 0);
  });
}

test('a body that breaks its schema is a 422 with the places of what is wrong and no values', async () => {
  const { handler, produced } = start({ schema: orderSchema });
  const { result, lines } = await watchProcess(() =>
    handler(makeRestEvent({ body: '{"id":"my-secret","amountCents":-77}' })),
  );
  assert.equal(result.statusCode, 422);
  const { error } = bodyOf(result);
  assert.equal(error.code, 'SCHEMA_VIOLATION');
  assert.deepEqual(error.issues[0].path, ['amountCents']);
  assert.doesNotMatch(result.body, /my-secret|77/);
  assert.deepEqual([produced.length, lines.length], [0, 0]);
});

test('what a schema converts or fills in decides nothing about the bytes', async () => {
  const schema = v.object({ id: v.pipe(v.string(), v.toUpperCase()), kind: v.optional(v.string(), 'new') });
  const { handler, texts } = start({ schema });
  await handler(makeRestEvent({ body: '{"id":"a","n":12345678901234567890}' }));
  assert.deepEqual(texts(), ['{"id":"a","n":12345678901234567890}']);
});

test('a validator that throws is our fault', async () => {
  const schema = {
    '~standard': { version: 1, vendor: 'x', validate: () => Promise.reject(new Error('bug')) },
  } as const;
  const { handler, produced } = start({ schema });
  const { result, lines } = await watchProcess(() => handler(makeRestEvent({ body: '{}' })));
  assert.deepEqual([result.statusCode, produced.length, lines.length], [500, 0, 1]);
  assert.doesNotMatch(result.body, /bug/);
});

for (const [place, key] of [
  [{ header: 'X-Customer' }, 'c-1'],
  [{ path: 'customer' }, '7'],
  [{ query: 'region' }, 'eu'],
] as const) {
  test(`the partition key comes from ${JSON.stringify(place)}`, async () => {
    const { handler, produced } = start({ partitionKey: place });
    const request = {
      headers: { 'x-customer': 'c-1' },
      pathParameters: { customer: '7' },
      query: [['region', 'eu']] as const,
      body: 'x',
    };
    await handler(makeRestEvent(request));
    await handler(makeHttpEvent(request));
    assert.deepEqual(
      produced.map(({ options }) => options.partitionKey),
      [key, key],
    );
  });
}

test('a partition key in the path of a source without routes is for the log, not for the client', async () => {
  const { handler } = start({ partitionKey: { path: 'customer' } });
  const { result, lines } = await watchProcess(() => handler(makeUrlEvent({ body: 'x' })));
  assert.equal(result.statusCode, 500);
  assert.match(lines[0] ?? '', /path parameter/);
});

test('named request headers become message headers, others do not', async () => {
  const { handler, produced } = start({ headers: ['X-Tenant', 'x-absent'] });
  await handler(makeHttpEvent({ headers: { 'x-tenant': 't', 'x-other': 'o' }, body: 'x' }));
  assert.deepEqual(produced[0]?.options.headers, { 'X-Tenant': 't' });
});

for (const [code, status, retryAfter] of [
  ['PAYLOAD_TOO_LARGE', 413, undefined],
  ['CONNECT_FAILED', 503, '5'],
  ['CONNECTION_LOST', 503, '5'],
  ['STORAGE_FULL', 503, '30'],
  ['TIMEOUT', 504, undefined],
  ['STATION_NOT_FOUND', 500, undefined],
  ['AUTHENTICATION_FAILED', 500, undefined],
  ['INVALID_MESSAGE', 400, undefined],
] as const) {
  test(`${code} is answered ${status}, its words are for the log of what is ours`, async () => {
    const { handler } = start({}, failing(new MemphisError(code, 'inner words')));
    const { result, lines } = await watchProcess(() => handler(makeRestEvent({ body: 'x' }), makeContext()));
    assert.equal(result.statusCode, status);
    assert.equal(header(result, 'Retry-After'), retryAfter);
    assert.doesNotMatch(result.body, /inner words/);
    assert.deepEqual(
      lines.map((line) => JSON.parse(line).code),
      status >= 500 ? [code] : [],
    );
  });
}

test('a function without a station or with a wrong variable answers 500 and says why in the log', async (t) => {
  t.after(() => {
    delete process.env.MEMPHIS_ACK_WAIT_MS;
  });
  const handler = makeProduceHandler(undefined, makeFakeDataSide().load);
  const first = await watchProcess(() => handler(makeRestEvent({ body: 'x' })));
  assert.equal(first.result.statusCode, 500);
  assert.match(first.lines[0] ?? '', /MEMPHIS_STATION/);
  process.env.MEMPHIS_ACK_WAIT_MS = 'soon';
  const { handler: other } = start();
  const second = await watchProcess(() => other(makeRestEvent({ body: 'x' })));
  assert.equal(second.result.statusCode, 500);
  assert.match(second.lines[0] ?? '', /MEMPHIS_ACK_WAIT_MS/);
});

for (const [ackWaitMs, remainingMs, expectedMs] of [
  [undefined, 900_000, 5_000],
  [undefined, 3_000, 2_500],
  [10_000, 900_000, 10_000],
  [60_000, 900_000, 28_500],
] as const) {
  test(`with ackWaitMs ${ackWaitMs} and ${remainingMs} ms left, 504 comes after ${expectedMs} ms`, async (t) => {
    mockTime(t);
    const limits: unknown[] = [];
    const { handler } = start(ackWaitMs === undefined ? {} : { ackWaitMs }, {
      onProduce: ({ options }) => {
        limits.push(options.ackWaitMs);
        return new Promise(() => {});
      },
    });
    const context = makeContext({ timeoutMs: remainingMs });
    const { result } = await watchProcess(async () => {
      const running = handler(makeHttpEvent({ body: 'x' }), context);
      await settle();
      t.mock.timers.tick(expectedMs + 300);
      return await running;
    });
    assert.equal(result.statusCode, 504);
    assert.deepEqual(limits, [expectedMs]);
    assert.ok(context.getRemainingTimeInMillis() >= 200);
  });
}

test('the time that a validator takes is gone for storing', async (t) => {
  mockTime(t);
  const limits: unknown[] = [];
  const schema = v.pipeAsync(
    v.unknown(),
    v.checkAsync(async () => {
      t.mock.timers.tick(2_000);
      return true;
    }),
  );
  const { handler } = start({ schema }, { onProduce: async ({ options }) => limits.push(options.ackWaitMs) });
  await handler(makeHttpEvent({ body: '{}' }), makeContext({ timeoutMs: 6_000 }));
  assert.deepEqual(limits, [3_000]);
});

test('a broker that does not answer the dial is a 503: nothing was sent', async (t) => {
  mockTime(t);
  const { handler, produced } = start({}, { onBroker: () => new Promise(() => {}) });
  const { result } = await watchProcess(async () => {
    const running = handler(makeHttpEvent({ body: 'x' }), makeContext({ timeoutMs: 3_000 }));
    await settle();
    t.mock.timers.tick(2_500);
    return await running;
  });
  assert.equal(result.statusCode, 503);
  assert.equal(header(result, 'Retry-After'), '5');
  assert.equal(produced.length, 0);
});

test('a batch stores its elements as they were written, each under an id of its own', async () => {
  const { handler, texts, produced } = start({ batch: true, partitionKey: { query: 'k' } });
  const body = '[{"a": 1},\n 12345678901234567890 , "x,]"]';
  const answer = await handler(makeRestEvent({ headers: { 'Idempotency-Key': 'b' }, query: [['k', 'p']], body }));
  assert.equal(answer.statusCode, 202);
  assert.deepEqual(texts(), ['{"a": 1}', '12345678901234567890', '"x,]"']);
  assert.deepEqual(
    produced.map(({ options }) => [options.msgId, options.partitionKey]),
    [0, 1, 2].map((index) => [`b-${index}`, 'p']),
  );
  assert.deepEqual(bodyOf(answer).results[2], {
    status: 202,
    station: 'orders',
    partition: 1,
    sequence: 3,
    duplicate: false,
  });
});

test('a batch with an element that breaks the schema stores nothing and names the element', async () => {
  const { handler, produced } = start({ batch: true, schema: orderSchema });
  const answer = await handler(makeRestEvent({ body: `[${order}, {"id":"b","amountCents":0}]` }));
  assert.equal(answer.statusCode, 422);
  assert.deepEqual(bodyOf(answer).error.issues[0].path, [1, 'amountCents']);
  assert.equal(produced.length, 0);
});

test('a batch of more than a thousand messages is too large', async () => {
  const { handler, produced } = start({ batch: true });
  const answer = await handler(makeRestEvent({ body: JSON.stringify(Array(1_001).fill(1)) }));
  assert.deepEqual([answer.statusCode, produced.length], [413, 0]);
});

test('a batch tells for any pattern of failures exactly what is stored', async () => {
  const codes = ['PAYLOAD_TOO_LARGE', 'STORAGE_FULL', 'TIMEOUT', 'STATION_NOT_FOUND'] as const;
  const outcome = fc.option(fc.constantFrom(...codes), { nil: undefined });
  await fc.assert(
    fc.asyncProperty(fc.array(outcome, { minLength: 1, maxLength: 8 }), async (outcomes) => {
      const { handler, texts } = start(
        { batch: true },
        {
          onProduce: async ({ message }) => {
            const code = outcomes[Number(new TextDecoder().decode(message as Uint8Array))];
            if (code !== undefined) throw new MemphisError(code, 'x');
          },
        },
      );
      const { result } = await watchProcess(() =>
        handler(makeHttpEvent({ body: JSON.stringify([...outcomes.keys()]) })),
      );
      const { results } = bodyOf(result) as { results: { status: number; sequence?: number; error?: object }[] };
      const stored = [...outcomes.keys()].filter((index) => results[index]?.status === 202);
      assert.deepEqual(
        stored.map(String),
        texts().sort((a, b) => Number(a) - Number(b)),
      );
      assert.equal(results.length, outcomes.length);
      for (const { status, sequence, error } of results) {
        assert.equal(status === 202, sequence !== undefined);
        assert.equal(status === 202, error === undefined);
      }
      if (stored.length === outcomes.length) assert.equal(result.statusCode, 202);
      else if (stored.length > 0) assert.equal(result.statusCode, 207);
      else assert.equal(result.statusCode, results[0]?.status);
      assert.equal(header(result, 'Retry-After') !== undefined, outcomes.includes('STORAGE_FULL'));
    }),
    { numRuns: 50 },
  );
});

test('what is no HTTP event fails the invocation with INVALID_EVENT', async () => {
  const { handler } = start();
  for (const event of [undefined, {}, { Records: [] }]) await assert.rejects(handler(event), { code: 'INVALID_EVENT' });
});

/** Requests with anything in them, as one of the four sources would pass them on. */
const hostileRequest = fc
  .tuple(
    fc.constantFrom(...Object.values(eventMakers)),
    fc.record({
      method: fc.oneof(fc.constant('POST'), fc.string()),
      headers: fc.dictionary(fc.oneof(fc.constant('Idempotency-Key'), fc.string()), fc.string({ unit: 'binary' })),
      query: fc.array(fc.tuple(fc.string(), fc.string())),
      body: fc.oneof(fc.string({ unit: 'binary' }), fc.json(), fc.uint8Array()),
    }),
    fc.dictionary(fc.string(), fc.anything()),
  )
  .map(([make, request, more]) => ({ ...make(request), ...more }));

test('any event gets a proper answer or INVALID_EVENT, and nothing reaches the process', async () => {
  const handlers = [{}, { schema: orderSchema }, { batch: true }, { batch: true, schema: v.unknown() }].map(
    (options) => start({ ...options, headers: ['x'], partitionKey: { header: 'Idempotency-Key' } }).handler,
  );
  const { rejections } = await watchProcess(() =>
    fc.assert(
      fc.asyncProperty(fc.oneof(hostileRequest, fc.anything()), fc.anything(), async (event, context) => {
        for (const handler of handlers) {
          try {
            const answer = await handler(event, context);
            assert.ok([202, 400, 405, 413, 422].includes(answer.statusCode), answer.body);
            assert.equal(typeof JSON.parse(answer.body), 'object');
            assert.equal(header(answer, 'Content-Type'), 'application/json');
          } catch (error) {
            assert.ok(isMemphisError(error, 'INVALID_EVENT'), String(error));
          }
        }
      }),
      { numRuns: 300 },
    ),
  );
  assert.deepEqual(rejections, []);
});

test('options are checked when the handler is made', () => {
  for (const options of [
    { statoin: 'a' },
    { schema: {} },
    { schema: { '~standard': { version: 2, validate: () => {} } } },
    { partitionKey: { cookie: 'a' } },
    { partitionKey: { header: 'a', query: 'b' } },
    { partitionKey: { header: '' } },
    { headers: ['$memphis_x'] },
    { headers: ['Nats-Msg-Id'] },
    { headers: ['a b'] },
    { batch: 'yes' },
    { ackWaitMs: 0 },
  ]) {
    assert.throws(() => produceHandler(options as never), { code: 'INVALID_OPTION' }, JSON.stringify(options));
  }
  assert.throws(() => produceHandler({ station: '-' }), { code: 'INVALID_NAME' });
});

test('prefetch dials while the module loads', async () => {
  const { counts } = start({ prefetch: true });
  await settle();
  assert.equal(counts.warms, 1);
});

test('the runtime sees two parameters', () => {
  assert.equal(produceHandler({ station: 's' }).length, 2);
});
