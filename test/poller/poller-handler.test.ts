import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connect } from '../../src/index.ts';
import { MemphisError } from '../../src/model/errors.ts';
import { pollerHandler } from '../../src/poller/index.ts';
import { startBroker } from '../../src/testing/start-broker.ts';
import { startProxy } from '../support/proxy.ts';
import { fakeLambda, fakeStation, range, sdkError } from './fakes.ts';

const base = { station: 'orders', group: 'billing', functionName: 'bill', backoffBaseMs: 0 } as const;

/** A Lambda context whose time runs out. */
const contextOf = (timeoutMs: number) => {
  const endsAt = performance.now() + timeoutMs;
  return { getRemainingTimeInMillis: () => endsAt - performance.now(), endsAt };
};

test('works until its deadline less the reserve, then reports each mapping', async () => {
  const station = fakeStation();
  station.put(...range(5));
  setTimeout(() => station.put('late'), 100);
  const handler = pollerHandler({ mappings: [base], connection: station.connection, lambda: fakeLambda().lambda });
  const context = contextOf(2_000);
  const { mappings } = await handler({}, context);
  assert.equal(mappings[0]?.acked, 6);
  const leftMs = context.endsAt - performance.now();
  // wide, for machines that are busy
  assert.ok(leftMs > 300 && leftMs < 1_100, `${leftMs} ms left of a reserve of 1000`);
});

test('ends in time also where the broker is not to be reached any more', async () => {
  await using broker = await startBroker();
  await using proxy = await startProxy(broker.port);
  const admin = await connect({ servers: [broker.url] });
  await admin.createStation('orders', { storageType: 'memory' });
  await admin.close();
  const connection = { servers: [proxy.url] };
  const handler = pollerHandler({ mappings: [base], connection, lambda: fakeLambda().lambda });
  const startedAt = performance.now();
  setTimeout(() => {
    proxy.swallow();
    proxy.swallowNew(true);
  }, 500);
  await handler({}, contextOf(4_000));
  const tookMs = performance.now() - startedAt;
  assert.ok(tookMs < 9_000, `${tookMs} ms; a dial alone may take 15 s`);
});

test('does not pull what would not be finished by the deadline', async () => {
  const station = fakeStation();
  station.put(...range(40));
  // the first one is the longest by far: a slow machine does not make another one longer than what is expected of it
  let tookMs = 250;
  const fake = fakeLambda(() => {
    const ms = tookMs;
    tookMs = 40;
    return new Promise((resolve) => setTimeout(() => resolve(null), ms));
  });
  const handler = pollerHandler({
    mappings: [{ ...base, batchSize: 1, maximumConcurrency: 1 }],
    connection: station.connection,
    lambda: fake.lambda,
    deadlineReserveMs: 20,
  });
  const { mappings } = await handler({}, contextOf(1_000));
  const [mapping] = mappings;
  assert.ok((mapping?.acked ?? 0) >= 2, `${mapping?.acked} acked`);
  assert.ok((mapping?.acked ?? 40) < 40, 'it ended before its messages did');
  assert.equal(mapping?.acked, mapping?.polled, 'nothing was put back');
  assert.equal(station.held, 0);
});

test('puts back what the function has not answered by the deadline, in time', async () => {
  const station = fakeStation();
  station.put('a');
  const handler = pollerHandler({
    mappings: [base],
    connection: station.connection,
    lambda: fakeLambda(() => new Promise(() => {})).lambda,
    deadlineReserveMs: 800,
  });
  const context = contextOf(1_600);
  const { mappings } = await handler({}, context);
  assert.equal(mappings[0]?.retried, 1);
  assert.ok(performance.now() < context.endsAt);
  assert.equal(station.held, 0);
});

test('gives throttled messages back at the deadline without cost', async () => {
  const station = fakeStation();
  station.put('a', 'b');
  const handler = pollerHandler({
    mappings: [base],
    connection: station.connection,
    lambda: fakeLambda(() => {
      throw sdkError('TooManyRequestsException', 429);
    }).lambda,
    deadlineReserveMs: 300,
  });
  const { mappings } = await handler({}, contextOf(800));
  assert.equal(mappings[0]?.givenBack, 2);
  assert.equal(mappings[0]?.polled, 2, 'held rather than handed to and fro');
  assert.equal(mappings[0]?.invoked, 0);
});

test('ends when the stations are empty where nobody tells the time', async () => {
  const station = fakeStation();
  station.put(...range(12));
  const handler = pollerHandler({ mappings: [base], connection: station.connection, lambda: fakeLambda().lambda });
  assert.equal((await handler()).mappings[0]?.acked, 12);
  station.put('again');
  assert.equal((await handler()).mappings[0]?.acked, 1, 'counters are those of one run');
});

test('reports a missing station instead of failing, and lets other mappings work', async () => {
  const station = fakeStation();
  station.put('a');
  station.errors.push(new MemphisError('STATION_NOT_FOUND', 'There is no station gone.'));
  const handler = pollerHandler({
    mappings: [
      { ...base, name: 'gone', station: 'gone' },
      { ...base, name: 'fine' },
    ],
    connection: station.connection,
    lambda: fakeLambda().lambda,
    idleExitMs: 0,
    onError: () => {},
  });
  const { mappings } = await handler({}, contextOf(10_000));
  assert.equal(mappings[0]?.error, 'STATION_NOT_FOUND: There is no station gone.');
  assert.equal(mappings[1]?.acked, 1);
});

test('a function that cannot be invoked ends its mapping for this run', async () => {
  const station = fakeStation();
  station.put('a', 'b');
  const handler = pollerHandler({
    mappings: [base],
    connection: station.connection,
    lambda: fakeLambda(() => {
      throw sdkError('AccessDeniedException', 403);
    }).lambda,
    onError: () => {},
  });
  const { mappings } = await handler({}, contextOf(5_000));
  assert.equal(mappings[0]?.givenBack, 2);
  assert.match(mappings[0]?.error ?? '', /^INVOKE_FAILED/);
});

test('refuses a wrong option at once, and a wrong environment in the run', async () => {
  assert.throws(() => pollerHandler({ mappings: [] }), { code: 'INVALID_OPTION' });
  await assert.rejects(pollerHandler({ lambda: fakeLambda().lambda })({}, contextOf(1_000)), {
    code: 'INVALID_OPTION',
    message: /MEMPHIS_MAPPINGS/,
  });
});
