import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { each } from '../../src/batch/each.ts';
import { runBatch } from '../../src/batch/run-batch.ts';
import { isMemphisError } from '../../src/model/errors.ts';
import { DeadLetter, RetryLater } from '../../src/model/outcome.ts';
import { actionsOf, anyTime, makeBatch } from './make-batch.ts';

interface Item {
  readonly n: number;
  readonly key: string;
}
const items = (keys: string): Item[] => [...keys].map((key, n) => ({ n, key }));

describe('each', () => {
  it('calls the function with the decoded value, message, context and signal', async () => {
    const context = { awsRequestId: 'r1' };
    const seen: unknown[] = [];
    const handler = each<Item, typeof context>((value, run) => {
      seen.push(value, run.message.id, run.context, run.signal.aborted);
    });
    await runBatch(makeBatch(items('a')), handler, context, anyTime);
    assert.deepEqual(seen, [{ n: 0, key: 'a' }, 'orders$1:1', context, false]);
  });

  it('settles message by message, exact errors included', async () => {
    const batch = makeBatch([0, 1, 2, 3]);
    const boom = new Error('boom');
    const handler = each<number, undefined>(async (value) => {
      if (value === 1) throw boom;
      if (value === 2) throw new RetryLater({ delayMs: 99 });
      if (value === 3) throw new DeadLetter({ reason: 'never' });
    });
    const result = await runBatch(batch, handler, undefined, anyTime);
    assert.deepEqual(actionsOf(batch), ['ack', 'retry', 'retry', 'deadLetter']);
    assert.deepEqual(batch.settles[2]?.outcome, { action: 'retry', delayMs: 99, reason: 'retry later' });
    assert.equal(result.error, boom);
    assert.equal(result.failedAsWhole, false);
  });

  it('passes no meaning to what the function returns', async () => {
    const result = await runBatch(
      makeBatch([0]),
      each<number, undefined>(() => ({ batchItemFailures: [{ itemIdentifier: 'x' }] })),
      undefined,
      anyTime,
    );
    assert.equal(result.acked, 1);
  });

  it('runs as many calls at the same time as concurrency says, ten unless told', async () => {
    for (const [options, expected] of [
      [{ concurrency: 3 }, 3],
      [undefined, 10],
    ] as const) {
      let running = 0;
      let most = 0;
      const handler = each<number, undefined>(async () => {
        running += 1;
        most = Math.max(most, running);
        await turn();
        running -= 1;
      }, options);
      const result = await runBatch(makeBatch(Array.from({ length: 25 }, (_, n) => n)), handler, undefined, anyTime);
      assert.equal(most, expected);
      assert.equal(result.acked, 25);
    }
  });

  it('refuses wrong options by name', () => {
    const options = [{ concurrency: 0 }, { concurrency: 1.5 }, { orderedBy: 'key' }, { parallel: 3 }];
    for (const option of options) {
      assert.throws(
        () => each(() => {}, option as object),
        (error) => isMemphisError(error, 'INVALID_OPTION'),
      );
    }
    assert.throws(
      () => each('no function' as never),
      (error) => isMemphisError(error, 'INVALID_OPTION'),
    );
  });
});

describe('each in order', () => {
  const byKey = { orderedBy: (message: { value(): unknown }) => (message.value() as Item).key };

  it('keeps the order of a key while keys run in parallel', async () => {
    const started: string[] = [];
    const ended: string[] = [];
    const handler = each<Item, undefined>(async ({ key, n }) => {
      started.push(`${key}${n}`);
      await turn();
      ended.push(`${key}${n}`);
    }, byKey);
    await runBatch(makeBatch(items('aabab')), handler, undefined, anyTime);
    assert.deepEqual(started.slice(0, 2), ['a0', 'b2']);
    assert.deepEqual(
      ended.filter((name) => name.startsWith('a')),
      ['a0', 'a1', 'a3'],
    );
    assert.deepEqual(
      ended.filter((name) => name.startsWith('b')),
      ['b2', 'b4'],
    );
  });

  it('stops a key at its first failure and gives its rest back behind the failed message', async () => {
    const batch = makeBatch(items('aabaa'));
    const called: number[] = [];
    const handler = each<Item, undefined>(({ n }) => {
      called.push(n);
      if (n === 1) throw new RetryLater({ delayMs: 700 });
    }, byKey);
    await runBatch(batch, handler, undefined, anyTime);
    assert.deepEqual(called.sort(), [0, 1, 2]);
    assert.deepEqual(actionsOf(batch), ['ack', 'retry', 'ack', 'giveBack', 'giveBack']);
    assert.deepEqual(
      batch.settles.slice(3).map(({ outcome }) => outcome),
      [
        { action: 'giveBack', delayMs: 1_050 },
        { action: 'giveBack', delayMs: 1_050 },
      ],
    );
  });

  it('takes the messages of a key in the order in which they were stored, however they came', async () => {
    const sequences = [7, 3, 9, 4];
    const batch = makeBatch(items('aaba'), { details: (index) => ({ sequence: sequences[index] ?? 0 }) });
    const called: number[] = [];
    await runBatch(
      batch,
      each<Item, undefined>(({ n }) => void called.push(n), { ...byKey, concurrency: 1 }),
      undefined,
      anyTime,
    );
    assert.deepEqual(called, [1, 3, 0, 2]);
    assert.deepEqual(actionsOf(batch), ['ack', 'ack', 'ack', 'ack']);
  });

  it('stops a key at a message that the function put back itself', async () => {
    const batch = makeBatch(items('aa'));
    const handler = each<Item, undefined>(async (_, { message }) => {
      await message.delay(50);
    }, byKey);
    await runBatch(batch, handler, undefined, anyTime);
    assert.deepEqual(
      batch.settles.map(({ outcome }) => outcome),
      [
        { action: 'retry', delayMs: 50 },
        { action: 'giveBack', delayMs: 75 },
      ],
    );
  });

  it('goes on behind a message that the function acked itself', async () => {
    const batch = makeBatch(items('aa'));
    const handler = each<Item, undefined>(async (_, { message }) => {
      await message.ack();
    }, byKey);
    assert.equal((await runBatch(batch, handler, undefined, anyTime)).acked, 2);
  });

  it('orders by partition and by partition key, and leaves messages without a key alone', async () => {
    const details = (index: number) => ({ partition: (index % 2) + 1, ...(index < 2 && { partitionKey: 'k' }) });
    const fail = (n: number) => {
      if (n === 0) throw new Error('boom');
    };
    const byPartition = makeBatch([0, 1, 2, 3], { details });
    await runBatch(byPartition, each<number, undefined>(fail, { orderedBy: 'partition' }), undefined, anyTime);
    assert.deepEqual(actionsOf(byPartition), ['retry', 'ack', 'giveBack', 'ack']);

    const byPartitionKey = makeBatch([0, 1, 2, 3], { details });
    await runBatch(byPartitionKey, each<number, undefined>(fail, { orderedBy: 'partitionKey' }), undefined, anyTime);
    assert.deepEqual(actionsOf(byPartitionKey), ['retry', 'giveBack', 'ack', 'ack']);
  });

  it('never starts a message before the one ahead of it is done, for any keys, failures and concurrency', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ key: fc.constantFrom('a', 'b', 'c'), fails: fc.boolean() }), { maxLength: 20 }),
        fc.integer({ min: 1, max: 5 }),
        async (plan, concurrency) => {
          let running = 0;
          const done = new Set<number>();
          const handler = each<{ key: string; fails: boolean; n: number }, undefined>(
            async ({ key, fails, n }) => {
              running += 1;
              assert.ok(running <= concurrency);
              for (let earlier = 0; earlier < n; earlier++) {
                if (plan[earlier]?.key === key) assert.ok(done.has(earlier), `${n} started before ${earlier}`);
              }
              await Promise.resolve();
              running -= 1;
              if (fails) throw new Error('as planned');
              done.add(n);
            },
            { concurrency, orderedBy: (message) => message.value().key },
          );
          const batch = makeBatch(plan.map((step, n) => ({ ...step, n })));
          const result = await runBatch(batch, handler, undefined, anyTime);
          assert.ok(!(result.error instanceof assert.AssertionError), String(result.error));
          const blocked = new Set<string>();
          const expected = plan.map(({ key, fails }) => {
            if (blocked.has(key)) return 'giveBack';
            if (fails) blocked.add(key);
            return fails ? 'retry' : 'ack';
          });
          assert.deepEqual(actionsOf(batch), expected);
        },
      ),
      { numRuns: 200 },
    );
  });
});

describe('each at the deadline', () => {
  it('retries what is under way, gives back what was not started, keeps what is done', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const batch = makeBatch([0, 1, 2, 3]);
    const handler = each<number, undefined>((value) => (value === 0 ? undefined : new Promise(() => {})), {
      concurrency: 2,
    });
    const done = runBatch(batch, handler, undefined, { ...anyTime, workMs: 1000 });
    await turn();
    t.mock.timers.tick(1000);
    const result = await done;
    assert.deepEqual(actionsOf(batch), ['ack', 'retry', 'retry', 'giveBack']);
    assert.ok(isMemphisError(result.error, 'DEADLINE_EXCEEDED'));
    assert.equal(result.failures.length, 2);
  });

  it('starts nothing more when a call under way ends later', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const hold = Promise.withResolvers<void>();
    const called: number[] = [];
    const batch = makeBatch([0, 1]);
    const handler = each<number, undefined>(
      (value) => {
        called.push(value);
        return hold.promise;
      },
      { concurrency: 1, orderedBy: 'partition' },
    );
    const done = runBatch(batch, handler, undefined, {
      backoff: { baseMs: 800, maxMs: 800 },
      workMs: 1000,
    });
    await turn();
    t.mock.timers.tick(1000);
    await done;
    hold.resolve();
    await turn();
    assert.deepEqual(called, [0]);
    const [first, second] = batch.settles.map(({ outcome }) => outcome);
    assert.ok(first?.action === 'retry' && second?.action === 'giveBack');
    assert.ok((second.delayMs ?? 0) > first.delayMs); // behind the one that was under way
    assert.equal(batch.settles.length, 2);
  });
});
