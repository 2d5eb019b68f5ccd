import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { type BatchHandler, runBatch } from '../../src/batch/run-batch.ts';
import { isMemphisError } from '../../src/model/errors.ts';
import type { Message } from '../../src/model/message.ts';
import { DeadLetter, RetryLater } from '../../src/model/outcome.ts';
import { actionsOf, anyTime, makeBatch } from './make-batch.ts';

const run = (batch: ReturnType<typeof makeBatch>, handler: BatchHandler<unknown, undefined>) =>
  runBatch(batch, handler, undefined, anyTime);

describe('what a handler means', () => {
  it('acks all messages when the handler returns', async () => {
    const batch = makeBatch([1, 2, 3]);
    const result = await run(batch, () => undefined);
    assert.deepEqual(result, {
      received: 3,
      acked: 3,
      retried: 0,
      deadLettered: 0,
      givenBack: 0,
      failures: [],
      error: undefined,
      failedAsWhole: false,
    });
  });

  it('takes any value without batchItemFailures for success', async () => {
    for (const value of [[1, 2], 'text', 7, true, { ok: true }, new Map()]) {
      assert.equal((await run(makeBatch([1, 2]), async () => value)).acked, 2);
    }
  });

  it('retries all messages when the handler throws, with a backoff from the delivery count', async () => {
    const batch = makeBatch([1, 2], { details: (index) => ({ deliveryCount: index * 3 + 1 }) });
    const boom = new Error('boom');
    const result = await runBatch(
      batch,
      () => {
        throw boom;
      },
      undefined,
      { backoff: { baseMs: 100, maxMs: 100_000 }, workMs: Number.POSITIVE_INFINITY },
    );
    const [first, fourth] = batch.settles.map(({ outcome }) => (outcome.action === 'retry' ? outcome.delayMs : -1));
    assert.ok(first !== undefined && first >= 50 && first <= 100, `${first}`);
    assert.ok(fourth !== undefined && fourth >= 400 && fourth <= 800, `${fourth}`);
    assert.equal(result.error, boom);
    assert.equal(result.failedAsWhole, true);
    assert.deepEqual(result.failures[0], { id: 'orders$1:1', reason: 'Error: boom' });
  });

  it('takes RetryLater and DeadLetter exactly', async () => {
    const later = makeBatch([1]);
    const result = await run(later, () => {
      throw new RetryLater({ delayMs: 4321 });
    });
    assert.equal(later.settles[0]?.outcome.action === 'retry' && later.settles[0].outcome.delayMs, 4321);
    assert.equal(result.failedAsWhole, false);

    const dead = makeBatch([1]);
    await run(dead, () => {
      throw new DeadLetter({ reason: 'unknown customer' });
    });
    assert.deepEqual(dead.settles[0]?.outcome, { action: 'deadLetter', reason: 'unknown customer' });
  });

  it('follows a returned partial batch response, extended items included', async () => {
    const batch = makeBatch([1, 2, 3, 4]);
    const result = await run(batch, () => ({
      batchItemFailures: [
        { itemIdentifier: 'orders$1:1' },
        { itemIdentifier: 'orders$1:2', action: 'retry', delayMs: 77, reason: 'busy' },
        { itemIdentifier: 'orders$1:4', action: 'deadLetter', reason: 'broken' },
      ],
    }));
    assert.deepEqual(actionsOf(batch), ['retry', 'retry', 'ack', 'deadLetter']);
    assert.deepEqual(batch.settles[1]?.outcome, { action: 'retry', delayMs: 77, reason: 'busy' });
    assert.equal(result.retried + result.acked + result.deadLettered, 4);
    assert.equal(result.error, undefined);
  });

  it('fails the whole batch for an unknown identifier and names it', async () => {
    const batch = makeBatch([1, 2]);
    const result = await run(batch, () => ({
      batchItemFailures: [{ itemIdentifier: 'orders$1:1' }, { itemIdentifier: 'other:9' }],
    }));
    assert.deepEqual(actionsOf(batch), ['retry', 'retry']);
    assert.ok(isMemphisError(result.error, 'FUNCTION_FAILED'));
    assert.match(result.error.message, /other:9/);
    assert.equal(result.failedAsWhole, true);
  });

  it('respects what single messages were settled as, whatever the handler does afterwards', async () => {
    const batch = makeBatch([1, 2, 3, 4]);
    const result = await run(batch, async ([first, second, third]) => {
      await first?.ack();
      await second?.delay(500);
      await third?.deadLetter('no use');
      throw new Error('afterwards');
    });
    assert.deepEqual(actionsOf(batch), ['ack', 'retry', 'deadLetter', 'retry']);
    assert.equal(batch.settles.length, 4);
    assert.equal(result.failedAsWhole, false);
    assert.deepEqual(
      { ...result, error: undefined, failures: undefined },
      {
        received: 4,
        acked: 1,
        retried: 2,
        deadLettered: 1,
        givenBack: 0,
        failedAsWhole: false,
        error: undefined,
        failures: undefined,
      },
    );
  });

  it('settles all messages, whatever the handler does to the list of them', async () => {
    const takeAll = (messages: Message[]): void => {
      messages.reverse().splice(0);
    };
    const done = makeBatch([1, 2, 3]);
    assert.equal((await run(done, takeAll)).acked, 3);

    const later = makeBatch([1, 2, 3]);
    await run(later, async (messages) => {
      takeAll(messages);
      throw new RetryLater({ delayMs: 5 });
    });
    assert.deepEqual(actionsOf(later), ['retry', 'retry', 'retry']);
  });

  it('does not call the handler for an empty batch', async () => {
    const result = await run(makeBatch([]), () => assert.fail('called'));
    assert.equal(result.received, 0);
  });
});

describe('settling', () => {
  it('settles all undecided messages in one tick', async () => {
    let ticks = 0;
    let open = false;
    const batch = makeBatch([1, 2, 3], {
      settle: async () => {
        if (!open) {
          open = true;
          ticks += 1;
          queueMicrotask(() => {
            open = false;
          });
        }
        return 'acked';
      },
    });
    await run(batch, () => undefined);
    assert.equal(ticks, 1);
  });

  it('counts what became of messages, not what was asked for', async () => {
    const batch = makeBatch([1, 2], { settle: async ({ sequence }) => (sequence === 1 ? 'deadLettered' : 'retried') });
    const result = await run(batch, () => {
      throw new Error('boom');
    });
    assert.equal(result.deadLettered, 1);
    assert.equal(result.retried, 1);
  });

  it('rejects with SETTLE_UNCONFIRMED once all the others are settled', async () => {
    let slowOnes = 0;
    const batch = makeBatch([1, 2, 3], {
      settle: async ({ sequence }) => {
        if (sequence === 1) throw new Error('no answer');
        await turn();
        slowOnes += 1;
        return 'acked';
      },
    });
    await assert.rejects(
      run(batch, () => undefined),
      (error) => isMemphisError(error, 'SETTLE_UNCONFIRMED') && /1 of 3/.test(error.message),
    );
    assert.equal(slowOnes, 2);
  });

  it('reports an ack that failed although nobody awaited it', async () => {
    const batch = makeBatch([1], { settle: () => Promise.reject(new Error('no answer')) });
    await assert.rejects(
      run(batch, ([message]) => {
        message?.ack();
      }),
      (error) => isMemphisError(error, 'SETTLE_UNCONFIRMED'),
    );
    await turn(); // an unhandled rejection would fail this test here
  });
});

describe('the deadline', () => {
  it('gives everything back without calling the handler when there is no time to work', async () => {
    for (const workMs of [0, -5, Number.NaN]) {
      const batch = makeBatch([1, 2]);
      const result = await runBatch(batch, () => assert.fail('called'), undefined, { ...anyTime, workMs });
      assert.equal(result.givenBack, 2);
    }
  });

  it('retries what is undecided and waits for the handler no longer', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout', 'setInterval'] });
    const batch = makeBatch([1, 2]);
    let aborted = false;
    let late: Message | undefined;
    const hanging = Promise.withResolvers<void>();
    const done = runBatch(
      batch,
      async (messages, _, { signal }) => {
        signal.addEventListener('abort', () => {
          aborted = true;
        });
        late = messages[1];
        await messages[0]?.ack();
        await hanging.promise;
        throw new Error('much later');
      },
      undefined,
      { ...anyTime, workMs: 5000 },
    );
    await turn();
    t.mock.timers.tick(4999);
    assert.equal(aborted, false);
    t.mock.timers.tick(1);
    assert.equal(aborted, true);
    const result = await done;
    assert.deepEqual(actionsOf(batch), ['ack', 'retry']);
    assert.ok(isMemphisError(result.error, 'DEADLINE_EXCEEDED'));

    await assert.rejects(late?.ack() ?? Promise.resolve(), (error) => isMemphisError(error, 'ALREADY_SETTLED'));
    hanging.resolve();
    await turn(); // the handler's late rejection ends nowhere
    assert.equal(batch.settles.length, 2);
  });

  it('still counts a handler that returns at the signal', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const batch = makeBatch([1]);
    const done = runBatch(
      batch,
      (_messages, _context, { signal }) => new Promise((resolve) => signal.addEventListener('abort', resolve)),
      undefined,
      { ...anyTime, workMs: 100 },
    );
    await turn();
    t.mock.timers.tick(100);
    assert.equal((await done).acked, 1);
  });

  it('sets no timer for longer than a timer can wait', async () => {
    const result = await runBatch(makeBatch([1]), () => turn(), undefined, { ...anyTime, workMs: 2 ** 40 });
    assert.equal(result.acked, 1);
  });
});

describe('the lease', () => {
  it('extends the undecided at each third of the ack wait, and never after the run', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout', 'setInterval'] });
    const batch = makeBatch([1, 2], { ackWaitMs: 3000 });
    const hold = Promise.withResolvers<void>();
    const done = run(batch, async (messages) => {
      await hold.promise;
      await messages[0]?.ack();
      await turn();
      t.mock.timers.tick(1000);
    });
    await turn();
    t.mock.timers.tick(1000);
    t.mock.timers.tick(1000);
    assert.deepEqual(batch.extensions, [
      [1, 2],
      [1, 2],
    ]);
    await turn();
    hold.resolve();
    await done;
    assert.deepEqual(batch.extensions[2], [2]);
    t.mock.timers.tick(60_000);
    assert.equal(batch.extensions.length, 3);
  });

  it('awaits an extension under way before it settles, so that a delay is not undone', async (t) => {
    t.mock.timers.enable({ apis: ['setInterval'] });
    const order: string[] = [];
    const written = Promise.withResolvers<void>();
    const batch = makeBatch([1], {
      ackWaitMs: 30,
      extend: async () => {
        await written.promise;
        order.push('extended');
      },
      settle: async () => {
        order.push('settled');
        return 'retried';
      },
    });
    const done = run(batch, async () => {
      await turn();
      t.mock.timers.tick(10);
      setImmediate(written.resolve);
      throw new Error('boom');
    });
    await done;
    assert.deepEqual(order, ['extended', 'settled']);
  });

  it('does not wait for ever for an extension that hangs', async (t) => {
    t.mock.timers.enable({ apis: ['setInterval', 'setTimeout'] });
    const batch = makeBatch([1], { ackWaitMs: 30, extend: () => new Promise(() => {}) });
    const done = run(batch, async () => {
      await turn();
      t.mock.timers.tick(10);
    });
    await turn();
    await turn();
    assert.equal(batch.settles.length, 0);
    t.mock.timers.tick(500);
    assert.equal((await done).acked, 1);
  });

  it('passes over an extension that fails', async (t) => {
    t.mock.timers.enable({ apis: ['setInterval'] });
    const batch = makeBatch([1], { ackWaitMs: 30, extend: () => Promise.reject(new Error('gone')) });
    const done = run(batch, async () => {
      await turn();
      t.mock.timers.tick(10);
    });
    assert.equal((await done).acked, 1);
    assert.equal(batch.extensions.length, 1);
  });
});

it('clears the lease whichever way the run ends', async (t) => {
  const clear = t.mock.method(globalThis, 'clearInterval');
  const set = t.mock.method(globalThis, 'setInterval');
  await run(makeBatch([1], { ackWaitMs: 30_000 }), () => turn());
  await run(makeBatch([1], { ackWaitMs: 30_000 }), async () => {
    await turn();
    throw new Error('boom');
  });
  const made = set.mock.calls.map((call) => call.result);
  assert.equal(made.length, 2);
  assert.deepEqual(
    clear.mock.calls.map((call) => call.arguments[0]),
    made,
  );
});

it('sets no timer where the handler ends within its tick, as many do', async (t) => {
  const lease = t.mock.method(globalThis, 'setInterval');
  const deadline = t.mock.method(globalThis, 'setTimeout');
  const options = { ...anyTime, workMs: 60_000 };
  const result = await runBatch(makeBatch([1], { ackWaitMs: 30_000 }), async () => {}, undefined, options);
  await turn();
  assert.deepEqual([result.acked, lease.mock.callCount(), deadline.mock.callCount()], [1, 0, 0]);
});

it('leaves no timer behind', async () => {
  const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
  const before = timers();
  let during = 0;
  await runBatch(
    makeBatch([1], { ackWaitMs: 30_000 }),
    async () => {
      await turn();
      during = timers();
    },
    undefined,
    { ...anyTime, workMs: 60_000 },
  );
  assert.equal(during, before + 1); // the deadline; the lease keeps no process alive and is not listed
  assert.equal(timers(), before);
});
