/** `produceHandler` and `withProducer` against a real broker, through the client's own data side. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { connect } from 'memphis-serverless';
import { type ProducerContext, produceHandler, withProducer } from 'memphis-serverless/lambda';
import { ensureNatsServer, makeContext, startBroker } from 'memphis-serverless/testing';
import { eventMakers, makeHttpEvent } from '../support/api-events.ts';
import { countStored, makeFullStation } from '../support/full-station.ts';
import { watchProcess } from '../support/process-watch.ts';

let broker: Awaited<ReturnType<typeof startBroker>>;
let memphis: Awaited<ReturnType<typeof connect>>;

before(async () => {
  broker = await startBroker({ binary: await ensureNatsServer() });
  memphis = await connect({ servers: [broker.url] });
  await memphis.createStation('orders', { partitionsNumber: 3, storageType: 'memory' });
});

after(async () => {
  await memphis?.close();
  await broker?.[Symbol.asyncDispose]();
});

test('every source stores a body once per Idempotency-Key, where the answer says', async () => {
  const handler = produceHandler({ station: 'orders', servers: [broker.url], headers: ['x-tenant'] });
  for (const [source, make] of Object.entries(eventMakers)) {
    const headers = { 'Idempotency-Key': `key ${source}`, 'X-Tenant': 't' };
    const send = () => handler(make({ headers, body: source }), makeContext());
    const [first, second] = [await send(), await send()];
    const receipt = JSON.parse(first.body);
    assert.deepEqual([first.statusCode, second.statusCode], [202, 202]);
    assert.deepEqual(JSON.parse(second.body), { ...receipt, duplicate: true });
  }
  const messages = await memphis.fetchMessages('orders', { group: 'sources', batchSize: 100, batchMaxWaitMs: 500 });
  assert.deepEqual(messages.map((message) => message.text()).sort(), Object.keys(eventMakers).sort());
  for (const message of messages) {
    assert.deepEqual([message.headers['x-tenant'], message.headers['msg-id'] !== undefined], ['t', true]);
    await message.ack();
  }
});

test('a repeated batch stores what is missing and nothing twice', async () => {
  await memphis.createStation('lines', { storageType: 'memory' });
  const handler = produceHandler({ station: 'lines', servers: [broker.url], batch: true });
  const headers = { 'Idempotency-Key': 'batch' };
  const body = JSON.stringify(Array.from({ length: 500 }, (_, id) => ({ id })));
  for (const duplicate of [false, true]) {
    const answer = await handler(makeHttpEvent({ headers, body }), makeContext());
    assert.equal(answer.statusCode, 202);
    const results: { sequence: number; duplicate: boolean }[] = JSON.parse(answer.body).results;
    assert.deepEqual(
      results.map((result) => [result.sequence, result.duplicate]),
      Array.from({ length: 500 }, (_, index) => [index + 1, duplicate]),
    );
  }
});

test('what the broker cannot take has a status of its own', async () => {
  const send = (options: object, body: string | Uint8Array, headers = {}) =>
    watchProcess(() =>
      produceHandler({ station: 'orders', servers: [broker.url], ...options })(
        makeHttpEvent({ headers, body }),
        makeContext(),
      ),
    );
  const tooLarge = await send({}, new Uint8Array(1_100_000).fill(120));
  assert.equal(tooLarge.result.statusCode, 413);
  const missing = await send({ station: 'absent' }, 'x');
  assert.deepEqual([missing.result.statusCode, missing.lines.length], [500, 1]);
  const header = await send({ headers: ['x-a'] }, 'x', { 'x-a': 'a\nb' });
  assert.equal(header.result.statusCode, 400);
  const unreachable = await send({ servers: ['nats://127.0.0.1:1'] }, 'x');
  assert.deepEqual([unreachable.result.statusCode, unreachable.result.headers?.['Retry-After']], [503, '5']);
  assert.deepEqual(
    [tooLarge, missing, header, unreachable].flatMap(({ rejections }) => rejections),
    [],
  );
});

test('withProducer returns when what it started is stored, in order', async () => {
  await memphis.createStation('audit', { storageType: 'memory' });
  const handler = withProducer(
    (ids: readonly number[], context: ProducerContext) => {
      for (const id of ids) void context.produce({ id });
    },
    { station: 'audit', servers: [broker.url] },
  );
  await handler([1, 2, 3], makeContext());
  const messages = await memphis.fetchMessages('audit', { group: 'g', batchMaxWaitMs: 0 });
  assert.deepEqual(
    messages.map((message) => message.json<{ id: number }>().id),
    [1, 2, 3],
  );
});

test('withProducer returns when a batch and what was produced without waiting are stored', async () => {
  await memphis.createStation('many', { storageType: 'memory' });
  const handler = withProducer(
    async (_: unknown, context: ProducerContext) => {
      const written = await context.produce('one', { async: true });
      void context.memphis.produceBatch(
        'many',
        Array.from({ length: 3_000 }, (__, id) => ({ id })),
      );
      return written;
    },
    { station: 'many', servers: [broker.url], producerName: 'api' },
  );
  assert.deepEqual(await handler({}, makeContext()), { station: 'many', partition: 1 });
  assert.deepEqual(await countStored(broker.port, 'many'), [3_001]);
});

test('withProducer fails when what was produced without waiting is not stored', async () => {
  await makeFullStation(broker.port, 'tight', 1);
  const handler = withProducer(
    async (_: unknown, context: ProducerContext) => {
      for (const text of ['a', 'b']) await context.produce(text, { async: true });
    },
    { station: 'tight', servers: [broker.url] },
  );
  const { rejections } = await watchProcess(() => assert.rejects(handler({}, makeContext()), { code: 'STORAGE_FULL' }));
  assert.deepEqual(rejections, []);
});

test('withProducer fails visibly when a station is missing and nobody awaited', async () => {
  const handler = withProducer(
    (_: unknown, context: ProducerContext) => {
      void context.produce('x');
    },
    { station: 'absent', servers: [broker.url] },
  );
  const { rejections } = await watchProcess(() =>
    assert.rejects(handler({}, makeContext()), { code: 'STATION_NOT_FOUND' }),
  );
  assert.deepEqual(rejections, []);
});

test('a broker that falls silent is a 504 in time, and the repeated request stores nothing twice', async () => {
  await memphis.createStation('silence', { storageType: 'memory' });
  const handler = produceHandler({ station: 'silence', servers: [broker.url], ackWaitMs: 600 });
  const send = () => handler(makeHttpEvent({ headers: { 'Idempotency-Key': 'once' }, body: 'x' }), makeContext());
  const warm = makeHttpEvent({ headers: { 'Idempotency-Key': 'warm' }, body: 'x' });
  assert.equal((await handler(warm, makeContext())).statusCode, 202);
  broker.freeze();
  const startedAt = performance.now();
  const { result, rejections } = await watchProcess(send);
  const tookMs = performance.now() - startedAt;
  broker.thaw();
  assert.equal(result.statusCode, 504, result.body);
  assert.ok(tookMs < 1_500, `${tookMs} ms`);
  assert.deepEqual(rejections, []);
  assert.equal((await send()).statusCode, 202);
  const messages = await memphis.fetchMessages('silence', { group: 'g', batchMaxWaitMs: 0 });
  assert.equal(messages.length, 2);
});
