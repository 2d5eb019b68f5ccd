/** The loop against the broker in memory, on a clock that only the test moves. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { MemphisError } from '../../src/model/errors.ts';
import { openLambda } from '../../src/poller/lambda-client.ts';
import { type MappingOptions, resolveMappings } from '../../src/poller/mapping.ts';
import type { MappingReport } from '../../src/poller/report.ts';
import { type PollRun, runMappings } from '../../src/poller/run-mappings.ts';
import { makeFakeClock } from '../../src/testing/fake-clock.ts';
import { makeMemoryBroker } from '../../src/testing/memory-broker.ts';
import { type FakeFunction, FunctionError, fakeLambda, range, sdkError } from './fakes.ts';

const base = { station: 'orders', group: 'billing', functionName: 'bill' } as const;

async function setUp(bodies: readonly string[], partitionsNumber = 1) {
  const clock = makeFakeClock(0);
  const broker = makeMemoryBroker({ clock });
  await broker.createStation('orders', {
    partitionsNumber,
    retentionType: 'messages',
    retentionValue: 1_000,
    storageType: 'memory',
    replicas: 1,
    idempotencyWindowMs: 1_000,
    sendPoisonMsgToDls: true,
  });
  for (const [index, body] of bodies.entries()) {
    const data = new TextEncoder().encode(body);
    const partition = 1 + (index % partitionsNumber);
    const message = { station: 'orders', partition, data, headers: {}, producerName: 'test' };
    await broker.publish(message, { timeoutMs: 1_000 });
  }
  const run = async (options: Partial<MappingOptions>, handle: FakeFunction, more: Partial<PollRun> = {}) => {
    const fake = fakeLambda(handle);
    const errors: MemphisError[] = [];
    let isOver = false;
    const report = runMappings({
      mappings: resolveMappings('test', [{ ...base, ...options }]),
      session: { broker: async () => broker },
      lambda: await openLambda(fake.lambda, 5),
      stop: new AbortController().signal,
      cut: new AbortController().signal,
      workMs: Number.POSITIVE_INFINITY,
      isPersistent: true,
      idleExitMs: 0,
      onError: (error) => errors.push(error as MemphisError),
      clock,
      ...more,
    }).finally(() => {
      isOver = true;
    });
    for (let turns = 0; !isOver; turns++) {
      assert.ok(turns < 10_000, 'the run ends');
      await clock.advance(100);
    }
    const [mapping] = (await report).mappings as [MappingReport];
    return { mapping, fake, errors };
  };
  return { clock, broker, run };
}

test('a run that ends when all is empty waits for what an unconfirmed settle may bring back', async () => {
  const { broker, run } = await setUp(['a']);
  broker.failSettles(1);
  const { mapping, fake, errors } = await run({ maxAckTimeMs: 5_000 }, () => null);
  assert.deepEqual(
    errors.map(({ code }) => code),
    ['SETTLE_UNCONFIRMED'],
  );
  assert.equal(fake.invocations.length, 2);
  assert.equal(mapping.acked, 1);
  assert.equal(broker.unsettled('orders', 'billing'), 0);
});

test('a mapping that pauses tries again with one message, and goes on when that got through', async () => {
  const { clock, run } = await setUp(range(20));
  let isMissing = true;
  const sizes: [atMs: number, size: number][] = [];
  const stop = new AbortController();
  let acked = 0;
  const { mapping, errors } = await run(
    { batchSize: 10, maximumConcurrency: 2 },
    ({ bodies }) => {
      sizes.push([Math.floor(clock.now() / 1_000), bodies.length]);
      if (isMissing && clock.now() >= 50_000) isMissing = false;
      if (isMissing) throw sdkError('ResourceNotFoundException', 404);
      acked += bodies.length;
      if (acked === 20) stop.abort();
      return null;
    },
    { idleExitMs: undefined, stop: stop.signal },
  );
  assert.deepEqual(sizes.slice(0, 4), [
    [0, 10],
    [0, 10],
    [30, 1],
    [60, 1],
  ]);
  assert.ok(
    sizes.slice(4).every(([at]) => at === 60),
    'at once from there',
  );
  assert.equal(mapping.givenBack, 21);
  assert.equal(mapping.acked, 20);
  assert.equal(mapping.error, undefined);
  assert.deepEqual(
    errors.map(({ code }) => code),
    ['INVOKE_FAILED', 'INVOKE_FAILED'],
  );
});

test('a missing station is reported and asked for again until it is there', async () => {
  const { clock, broker, run } = await setUp([]);
  const stop = new AbortController();
  let dials = 0;
  const session = {
    broker: async () => {
      dials += 1;
      if (clock.now() < 70_000) throw new MemphisError('STATION_NOT_FOUND', 'There is no station orders.');
      stop.abort();
      return broker;
    },
  };
  const { mapping, errors } = await run({}, () => null, { idleExitMs: undefined, stop: stop.signal, session });
  assert.equal(dials, 4);
  assert.equal(errors.length, 3);
  assert.equal(mapping.polled, 0);
});

test('a closed client ends the mapping', async () => {
  const { run } = await setUp([]);
  const session = {
    broker: async () => {
      throw new MemphisError('CLOSED', 'The client was closed.');
    },
  };
  const { mapping } = await run({}, () => null, { idleExitMs: undefined, session });
  assert.equal(mapping.error, 'CLOSED: The client was closed.');
});

test('whatever functions, Lambda and broker do: every message ends acked or dead-lettered, and the sums agree', async () => {
  const step = fc.constantFrom('ack', 'fail', 'dead', 'throw', 'throttle', 'lost', 'large', 'late', 'garbage');
  const plans = fc.array(fc.array(step, { maxLength: 4 }), { minLength: 1, maxLength: 12 });
  const options = fc.record({
    batchSize: fc.integer({ min: 1, max: 5 }),
    maximumConcurrency: fc.integer({ min: 1, max: 3 }),
    batchWindowMs: fc.constantFrom(0, 50),
    maximumRetryAttempts: fc.integer({ min: 0, max: 4 }),
  });
  await fc.assert(
    fc.asyncProperty(plans, options, fc.integer({ min: 0, max: 2 }), async (plan, given, unconfirmed) => {
      const { broker, run } = await setUp(
        plan.map((_, index) => String(index)),
        2,
      );
      broker.failSettles(unconfirmed);
      const calls = plan.map(() => 0);
      let held = 0;
      // Longer than all waits for a throttled Lambda together: the lease is kept on real time, which stands still here.
      const maxAckTimeMs = 300_000;
      const { mapping, fake } = await run({ ...given, backoffBaseMs: 100, maxAckTimeMs }, ({ event }) => {
        held = Math.max(held, event.messages.length);
        const steps = event.messages.map(({ body }) => {
          const index = Number(body);
          const call = calls[index] ?? 0;
          calls[index] = call + 1;
          return plan[index]?.[call] ?? 'ack';
        });
        if (steps.includes('throttle')) throw sdkError('TooManyRequestsException', 429);
        if (steps.includes('large')) throw sdkError('RequestTooLargeException', 413);
        if (steps.includes('lost')) throw Object.assign(new Error('reset'), { code: 'ECONNRESET' });
        if (steps.includes('throw')) throw new FunctionError({ errorType: 'Error', errorMessage: 'no' });
        if (steps.includes('garbage')) return { batchItemFailures: [{}] };
        return {
          batchItemFailures: event.messages.flatMap(({ id }, index) => {
            if (steps[index] === 'fail') return [{ itemIdentifier: id }];
            if (steps[index] === 'late') return [{ itemIdentifier: id, delayMs: 300 }];
            return steps[index] === 'dead' ? [{ itemIdentifier: id, action: 'deadLetter', reason: 'no' }] : [];
          }),
        };
      });
      assert.equal(broker.unsettled('orders', 'billing'), 0);
      const { polled, acked, retried, deadLettered, givenBack } = mapping;
      const settled = acked + retried + deadLettered + givenBack;
      assert.ok(settled <= polled && settled >= polled - unconfirmed, `${settled} of ${polled}`);
      assert.equal(givenBack, 0, 'nothing went back unseen');
      assert.equal(acked + broker.deadLetters.length, plan.length, 'each exactly once');
      assert.ok(held <= given.batchSize && fake.mostRunning <= given.maximumConcurrency);
    }),
    { numRuns: 100 },
  );
});
