import assert from 'node:assert/strict';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { test } from 'node:test';
import { MemphisError } from '../../src/model/errors.ts';
import { createPoller, type MappingOptions, type PollReport } from '../../src/poller/index.ts';
import {
  type FakeFunction,
  FunctionError,
  fakeLambda,
  fakeStation,
  gate,
  RawAnswer,
  range,
  sdkError,
} from './fakes.ts';

const base = { station: 'orders', group: 'billing', functionName: 'bill', backoffBaseMs: 0 } as const;

/** Runs one mapping over some messages until its station is empty. */
async function drain(bodies: readonly (string | Uint8Array)[], options: Partial<MappingOptions>, run: FakeFunction) {
  const station = fakeStation();
  station.put(...bodies);
  const fake = fakeLambda(run);
  const errors: unknown[] = [];
  const report = await createPoller({
    mappings: [{ ...base, ...options }],
    connection: station.connection,
    lambda: fake.lambda,
    idleExitMs: 0,
    onError: (error) => errors.push(error),
  }).run();
  assert.equal(station.held, 0, 'all that was pulled is settled');
  assert.equal(fake.running, 0, 'no invocation is under way');
  return { station, fake, errors, ...first(report) };
}

function first(report: PollReport) {
  const [mapping] = report.mappings;
  assert.ok(mapping !== undefined);
  const settled = mapping.acked + mapping.retried + mapping.deadLettered + mapping.givenBack;
  assert.equal(settled, mapping.polled, 'the sums agree');
  return { mapping };
}

test('hands over all messages of a station and acks them', async () => {
  const { station, fake, mapping } = await drain(range(25), { batchSize: 10 }, () => null);
  assert.deepEqual(station.acked.toSorted(), range(25).toSorted());
  assert.deepEqual(
    fake.invocations.map(({ bodies }) => bodies.length),
    [10, 10, 5],
  );
  assert.deepEqual(mapping, {
    name: 'orders-to-billing',
    polled: 25,
    invoked: 25,
    acked: 25,
    retried: 0,
    deadLettered: 0,
    givenBack: 0,
    invocations: 3,
  });
});

test('sends the event of version 1.0 and reads with attempts plus one as the limit of deliveries', async () => {
  const { station, fake } = await drain(['a'], { maximumRetryAttempts: 3, maxAckTimeMs: 7_000 }, () => null);
  assert.deepEqual(fake.invocations[0]?.event, {
    eventSource: 'memphis',
    eventVersion: '1.0',
    mapping: 'orders-to-billing',
    station: 'orders',
    group: 'billing',
    messages: [
      {
        id: 'orders$1:1',
        partition: 1,
        sequence: 1,
        deliveryCount: 1,
        timestamp: '1970-01-01T00:00:00.000Z',
        headers: {},
        body: 'a',
        isBase64Encoded: false,
      },
    ],
  });
  assert.deepEqual(station.readers, [{ station: 'orders', group: 'billing', ackWaitMs: 7_000, maxDeliveries: 4 }]);
});

test('never pulls more than the free invocations take, and never runs more than allowed', async () => {
  const station = fakeStation();
  station.put(...range(100));
  const over: string[] = [];
  const fake = fakeLambda(async ({ bodies }) => {
    await new Promise((resolve) => setTimeout(resolve, 1 + (Number(bodies[0]) % 5)));
    if (station.held > 3 * 4) over.push(`${station.held} held`);
    return null;
  });
  const report = await createPoller({
    mappings: [{ ...base, batchSize: 4, maximumConcurrency: 3 }],
    connection: station.connection,
    lambda: fake.lambda,
    idleExitMs: 0,
  }).run();
  assert.equal(first(report).mapping.acked, 100);
  assert.equal(fake.mostRunning, 3);
  assert.deepEqual(over, []);
  assert.ok(Math.max(...station.pulls) <= 12);
});

test('retries the reported messages only, and dead-letters what asks for it', async () => {
  const { station, mapping } = await drain(['good', 'once', 'bad'], {}, ({ event }) => ({
    batchItemFailures: event.messages.flatMap(({ id, body, deliveryCount }) => {
      if (body === 'once' && deliveryCount === 1) return [{ itemIdentifier: id }];
      return body === 'bad' ? [{ itemIdentifier: id, action: 'deadLetter', reason: 'unknown customer' }] : [];
    }),
  }));
  assert.deepEqual(station.acked, ['good', 'once']);
  assert.deepEqual(station.deadLetters, [{ body: 'bad', reason: 'unknown customer', deliveryCount: 1 }]);
  assert.equal(mapping.retried, 1);
});

test('keeps the delay that the function asks for', async () => {
  const seen: number[] = [];
  await drain(['a'], {}, ({ event }) => {
    seen.push(performance.now());
    const [message] = event.messages;
    if (message?.deliveryCount !== 1) return null;
    return { batchItemFailures: [{ itemIdentifier: message.id, delayMs: 60 }] };
  });
  assert.equal(seen.length, 2);
  assert.ok((seen[1] ?? 0) - (seen[0] ?? 0) >= 59, 'the run waits for a message that is to come back');
});

test('retries the whole batch when the function fails, up to its last delivery, with type and message as reason', async () => {
  const { station, mapping } = await drain(['a', 'b'], { maximumRetryAttempts: 2 }, () => {
    throw new FunctionError({ errorType: 'TypeError', errorMessage: 'no amount', trace: ['secret/path.ts'] });
  });
  assert.equal(mapping.invocations, 3);
  assert.equal(mapping.retried, 4);
  assert.deepEqual(station.deadLetters, [
    { body: 'a', reason: 'no deliveries left (3 of 3): function failed: TypeError: no amount', deliveryCount: 3 },
    { body: 'b', reason: 'no deliveries left (3 of 3): function failed: TypeError: no amount', deliveryCount: 3 },
  ]);
});

for (const [what, answer, isSuccess] of [
  ['nothing', null, true],
  ['no bytes', new RawAnswer(''), true],
  ['an object without the key', { ok: true }, true],
  ['an empty list', { batchItemFailures: [] }, true],
  ['no JSON', new RawAnswer('{'), false],
  ['an id of no message', { batchItemFailures: [{ itemIdentifier: 'orders$1:99' }] }, false],
  ['an empty id', { batchItemFailures: [{ itemIdentifier: '' }] }, false],
  ['a number', 7, false],
] as const) {
  test(`an answer of ${what} means ${isSuccess ? 'success' : 'failure of the whole batch, said aloud'}`, async () => {
    const { station, errors } = await drain(['a', 'b'], { maximumRetryAttempts: 0 }, () => answer);
    assert.equal(station.acked.length, isSuccess ? 2 : 0);
    assert.equal(station.deadLetters.length, isSuccess ? 0 : 2);
    assert.deepEqual(
      errors.map((error) => (error as MemphisError).code),
      isSuccess ? [] : ['FUNCTION_FAILED'],
    );
  });
}

test('does not read the answer where the mapping says so', async () => {
  const { station } = await drain(['a'], { reportBatchItemFailures: false }, () => new RawAnswer('not json'));
  assert.deepEqual(station.acked, ['a']);
});

test('throttles, service faults and refused connections spend no delivery', async () => {
  const faults = [
    sdkError('TooManyRequestsException', 429),
    sdkError('ServiceException', 500),
    Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' }),
  ];
  const counts: number[] = [];
  const { station, mapping } = await drain(['a'], { maximumRetryAttempts: 0 }, ({ event }) => {
    const fault = faults.shift();
    if (fault !== undefined) throw fault;
    counts.push(event.messages[0]?.deliveryCount ?? 0);
    return null;
  });
  assert.deepEqual(counts, [1]);
  assert.deepEqual(station.acked, ['a']);
  assert.equal(mapping.invocations, 1, 'a refused call is no invocation');
  assert.equal(mapping.polled, 1, 'the message never went back to the broker');
});

test('an answer that got lost counts as a failure, since the function may have run', async () => {
  let isFirst = true;
  const { mapping } = await drain(['a'], {}, ({ event }) => {
    assert.equal(event.messages[0]?.deliveryCount, isFirst ? 1 : 2);
    if (!isFirst) return null;
    isFirst = false;
    throw Object.assign(new Error('socket hang up'), { code: 'ECONNRESET', name: 'TimeoutError' });
  });
  assert.equal(mapping.retried, 1);
  assert.equal(mapping.acked, 1);
});

test('halves a batch that Lambda finds too large inside the invocation; what alone is too large is dead-lettered', async () => {
  const { station, fake, mapping } = await drain(['1', '2', '3', 'huge', '5'], { batchSize: 10 }, ({ bodies }) => {
    if (bodies.includes('huge')) throw sdkError('RequestTooLargeException', 413);
    return null;
  });
  assert.deepEqual(station.acked.toSorted(), ['1', '2', '3', '5']);
  assert.equal(station.deadLetters.length, 1);
  assert.match(station.deadLetters[0]?.reason ?? '', /RequestTooLargeException/);
  assert.equal(station.deadLetters[0]?.deliveryCount, 1);
  assert.equal(mapping.polled, 5, 'no delivery was spent');
  assert.equal(fake.mostRunning, 1, 'all in one slot');
});

test('splits by encoded size, and never sends a message that alone exceeds the limit', async () => {
  const mb = (count: number): Uint8Array => new Uint8Array(count * 1024 * 1024).fill(97);
  const { station, fake } = await drain([mb(3), mb(2.5), mb(2), mb(7), 'small'], { maximumConcurrency: 1 }, () => null);
  assert.deepEqual(
    fake.invocations.map(({ bodies }) => bodies.length),
    [2, 1, 1],
  );
  assert.equal(station.acked.length, 4);
  assert.match(station.deadLetters[0]?.reason ?? '', /more than the 6291456 bytes/);
  assert.equal(fake.mostRunning, 1);
});

test('gathers for the window, and hands a full batch over before it ends', async () => {
  const station = fakeStation();
  const stop = new AbortController();
  const sizes: number[] = [];
  const fake = fakeLambda(({ bodies }) => {
    sizes.push(bodies.length);
    if (sizes.length === 2) stop.abort();
    return null;
  });
  const running = createPoller({
    mappings: [{ ...base, batchSize: 4, batchWindowMs: 80, maximumConcurrency: 2 }],
    connection: station.connection,
    lambda: fake.lambda,
  }).run({ signal: stop.signal });
  station.put('1');
  setTimeout(() => station.put('2'), 15);
  setTimeout(() => station.put('3', '4', '5', '6'), 30);
  await running;
  assert.deepEqual(sizes, [4, 2]);
  assert.equal(station.acked.length, 6);
});

test('extends the time to settle of messages that wait for the window', async () => {
  const station = fakeStation();
  station.put('1');
  const fake = fakeLambda();
  await createPoller({
    mappings: [{ ...base, batchWindowMs: 250, maxAckTimeMs: 100 }],
    connection: station.connection,
    lambda: fake.lambda,
    idleExitMs: 0,
  }).run();
  assert.ok(station.extensions >= 3, `${station.extensions} extensions`);
  assert.deepEqual(station.acked, ['1']);
});

test('an abort lets invocations under way end, and pulls nothing more', async () => {
  const station = fakeStation();
  station.put(...range(6));
  const stop = new AbortController();
  const finish = gate();
  const fake = fakeLambda(async () => {
    stop.abort();
    setTimeout(finish.open, 20);
    await finish.opened;
    return null;
  });
  const report = await createPoller({
    mappings: [{ ...base, batchSize: 2, maximumConcurrency: 2 }],
    connection: station.connection,
    lambda: fake.lambda,
  }).run({ signal: stop.signal });
  assert.equal(first(report).mapping.acked, 4);
  assert.equal(station.held, 0);
});

test('after the bounded time an unanswered invocation goes back and the run ends', async () => {
  const station = fakeStation();
  station.put('a');
  const stop = new AbortController();
  const fake = fakeLambda(() => {
    stop.abort();
    return new Promise(() => {});
  });
  const report = await createPoller({
    mappings: [base],
    connection: station.connection,
    lambda: fake.lambda,
    stopTimeoutMs: 20,
  }).run({ signal: stop.signal });
  assert.equal(first(report).mapping.retried, 1);
  assert.equal(station.held, 0);
  assert.equal(fake.invocations[0]?.signal.aborted, true, 'the request is ended too');
});

test('an abort gives throttled messages back at once, without cost', async () => {
  const station = fakeStation();
  station.put('a', 'b');
  const stop = new AbortController();
  const fake = fakeLambda(() => {
    setTimeout(() => stop.abort(), 5);
    throw sdkError('TooManyRequestsException', 429);
  });
  const report = await createPoller({
    mappings: [base],
    connection: station.connection,
    lambda: fake.lambda,
  }).run({ signal: stop.signal });
  assert.equal(first(report).mapping.givenBack, 2);
  assert.equal(first(report).mapping.invoked, 0);
});

test('a run that is told to stop before it begins does nothing', async () => {
  const station = fakeStation();
  station.put('a');
  const fake = fakeLambda();
  const report = await createPoller({
    mappings: [base],
    connection: station.connection,
    lambda: fake.lambda,
  }).run({ signal: AbortSignal.abort() });
  assert.equal(first(report).mapping.polled, 0);
  assert.deepEqual(station.pulls, []);
});

test('outages of the broker are waited out', async () => {
  const station = fakeStation();
  station.put('a');
  station.errors.push(new MemphisError('CONNECTION_LOST', 'gone'), new MemphisError('TIMEOUT', 'silent'));
  const fake = fakeLambda();
  const errors: unknown[] = [];
  const report = await createPoller({
    mappings: [base],
    connection: station.connection,
    lambda: fake.lambda,
    idleExitMs: 0,
    onError: (error) => errors.push(error),
  }).run();
  assert.equal(first(report).mapping.acked, 1);
  assert.equal(first(report).mapping.error, undefined, 'what is over is no error');
  assert.equal(errors.length, 1, 'an outage is said once');
});

test('a function that is missing gives all back, pauses its mapping alone and stands in the report', async () => {
  const [lost, fine] = [fakeStation(), fakeStation()];
  lost.put(...range(8));
  fine.put('a');
  const fake = fakeLambda(({ functionName }) => {
    if (functionName === 'missing') throw sdkError('ResourceNotFoundException', 404);
    return null;
  });
  const errors: MemphisError[] = [];
  const pollers = [
    { station: lost, functionName: 'missing' },
    { station: fine, functionName: 'bill' },
  ].map(({ station, functionName }) =>
    createPoller({
      mappings: [{ ...base, functionName, batchSize: 4, maximumConcurrency: 2 }],
      connection: station.connection,
      lambda: fake.lambda,
      idleExitMs: 0,
      onError: (error) => errors.push(error as MemphisError),
    }).run(),
  );
  const [stuck, good] = (await Promise.all(pollers)).map((report) => first(report).mapping);
  assert.equal(stuck?.givenBack, 8);
  assert.match(stuck?.error ?? '', /^INVOKE_FAILED: .*missing/);
  assert.equal(good?.acked, 1);
  assert.deepEqual(
    errors.map(({ code }) => code),
    ['INVOKE_FAILED'],
    'said once for all its invocations',
  );
});

test('two pollers share the work', async () => {
  const station = fakeStation();
  station.put(...range(60));
  const lambdas = [1, 2].map(() => fakeLambda(() => new Promise((resolve) => setTimeout(() => resolve(null), 3))));
  const reports = await Promise.all(
    lambdas.map(({ lambda }) =>
      createPoller({
        mappings: [{ ...base, batchSize: 3, maximumConcurrency: 2 }],
        connection: station.connection,
        lambda,
        idleExitMs: 0,
      }).run(),
    ),
  );
  const acked = reports.map((report) => first(report).mapping.acked);
  assert.equal(
    acked.reduce((a, b) => a + b),
    60,
  );
  assert.ok(
    acked.every((count) => count > 0),
    acked.join(),
  );
  assert.equal(new Set(station.acked).size, 60);
});

test('leaves a disabled mapping alone', async () => {
  const station = fakeStation();
  const report = await createPoller({
    mappings: [
      { ...base, enabled: false, name: 'off' },
      { ...base, name: 'on' },
    ],
    connection: station.connection,
    lambda: fakeLambda().lambda,
    idleExitMs: 0,
  }).run();
  assert.deepEqual(
    report.mappings.map(({ name }) => name),
    ['on'],
  );
});

test('publishes each invocation on its channel', async () => {
  const events: unknown[] = [];
  const listener = (event: unknown): void => void events.push(event);
  subscribe('memphis-serverless:invoke', listener);
  try {
    await drain(['a'], {}, () => null);
  } finally {
    unsubscribe('memphis-serverless:invoke', listener);
  }
  assert.equal(events.length, 1);
  const [{ durationMs, ...event }] = events as [{ durationMs: number }];
  assert.ok(durationMs >= 0);
  assert.deepEqual(event, { mapping: 'orders-to-billing', functionName: 'bill', messages: 1, failed: 0 });
});

for (const [what, options, message] of [
  ['an unknown option', { idleExit: 1 }, /Did you mean idleExitMs/],
  ['an unknown option of a mapping', { mappings: [{ ...base, batchWindow: 1 }] }, /batchWindowMs/],
  ['no mappings', { mappings: [] }, /at least one/],
  ['two of one name', { mappings: [base, base] }, /two mappings/],
  ['an unknown option of the connection', { connection: { server: 'x' } }, /servers/],
  ['a reserve, which is for the handler', { deadlineReserveMs: 1 }, /pollerHandler/],
] as const) {
  test(`refuses ${what}`, () => {
    const given = { mappings: [base], ...options } as unknown as Parameters<typeof createPoller>[0];
    assert.throws(() => createPoller(given), { code: 'INVALID_OPTION', message });
  });
}
