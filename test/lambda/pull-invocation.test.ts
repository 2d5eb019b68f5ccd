import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it, mock } from 'node:test';
import { each } from '../../src/batch/each.ts';
import type { BatchHandler } from '../../src/batch/run-batch.ts';
import { pullInvocation } from '../../src/lambda/pull-invocation.ts';
import { isMemphisError, MemphisError } from '../../src/model/errors.ts';
import { consumerFunctionOptions } from '../../src/model/options/consumer-function.ts';
import { stationOptions } from '../../src/model/options/stations.ts';
import { resolveOptions } from '../../src/model/resolve-options.ts';
import type { StandardSchema } from '../../src/model/standard-schema.ts';
import { standard } from '../../src/schemas/standard.ts';
import {
  type FakeClock,
  type MemoryBroker,
  makeContext,
  makeFakeClock,
  makeMemoryBroker,
} from '../../src/testing/index.ts';
import { makeBatch } from '../batch/make-batch.ts';

let clock: FakeClock;
let broker: MemoryBroker;
beforeEach(async () => {
  mock.method(console, 'error', () => {});
  clock = makeFakeClock();
  broker = makeMemoryBroker({ clock });
  const settings = resolveOptions('test', stationOptions, { partitionsNumber: 2 });
  await broker.createStation('orders', { ...settings, idempotencyWindowMs: 1000 });
});
afterEach(() => mock.restoreAll());

async function publish(count: number): Promise<void> {
  for (let n = 0; n < count; n++) {
    const data = new TextEncoder().encode(JSON.stringify(n));
    const message = { station: 'orders', partition: (n % 2) + 1, data, headers: {}, producerName: 'test' };
    await broker.publish(message, { timeoutMs: 1 });
  }
}

interface Call {
  readonly timeoutMs?: number;
  readonly dial?: (options?: { readonly deadlineMs?: number }) => Promise<MemoryBroker>;
}
function pull(handler: BatchHandler<number, unknown>, given: object = {}, { timeoutMs = 60_000, dial }: Call = {}) {
  return pullInvocation<number, unknown>({
    session: { broker: dial ?? (async () => broker) },
    handler,
    context: makeContext({ timeoutMs, now: clock.now }),
    where: 'withMemphis',
    options: resolveOptions('withMemphis', consumerFunctionOptions, { station: 'orders', group: 'billing', ...given }),
  });
}

const zero = {
  station: 'orders',
  group: 'billing',
  batches: 0,
  received: 0,
  acked: 0,
  retried: 0,
  deadLettered: 0,
  givenBack: 0,
};

describe('one pull', () => {
  it('takes one batch and answers with a summary', async () => {
    await publish(15);
    assert.deepEqual(await pull(() => {}), { ...zero, batches: 1, received: 10, acked: 10 });
    assert.deepEqual(await pull(() => {}), { ...zero, batches: 1, received: 5, acked: 5 });
    assert.deepEqual(await pull(() => assert.fail('called')), zero);
  });

  it('says in the summary what became of each', async () => {
    await publish(4);
    const summary = await pull(
      async (messages) => {
        await messages[0]?.delay(1000);
        await messages[1]?.deadLetter('never');
      },
      { batchSize: 4 },
    );
    assert.deepEqual(summary, { ...zero, batches: 1, received: 4, acked: 2, retried: 1, deadLettered: 1 });
    assert.equal(broker.deadLetters.length, 1);
  });

  it('waits on an empty station as long as it was told', async () => {
    const waiting = pull(() => {}, { batchMaxWaitMs: 5000 });
    await clock.advance(2000);
    await publish(1);
    assert.equal((await waiting).received, 1);
  });

  it('never waits beyond the time for work', async () => {
    const waiting = pull(() => {}, { batchMaxWaitMs: 500_000, deadlineReserveMs: 1000 }, { timeoutMs: 3000 });
    await clock.advance(2000);
    assert.deepEqual(await waiting, zero);
  });

  it('reads names as brokers do', async () => {
    await publish(1);
    assert.equal((await pull(() => {}, { station: 'Orders', group: 'Billing' })).station, 'orders');
    await assert.rejects(
      pull(() => {}, { station: 'no such name!' }),
      (error) => isMemphisError(error, 'INVALID_NAME'),
    );
  });

  it('neither dials nor pulls when the deadline is too near', async () => {
    await publish(1);
    const dial = () => assert.fail('dialled');
    assert.deepEqual(await pull(() => {}, { deadlineReserveMs: 3000 }, { timeoutMs: 3000, dial }), zero);
  });

  it('dials for a third of the time at most, and four seconds at most', async () => {
    mock.timers.enable({ apis: ['Date'], now: 1_000_000 });
    const limits: (number | undefined)[] = [];
    const dial = async (options?: { readonly deadlineMs?: number }) => {
      limits.push(options?.deadlineMs);
      return broker;
    };
    await pull(() => {}, { deadlineReserveMs: 0 }, { timeoutMs: 3000, dial });
    await pull(() => {}, { deadlineReserveMs: 0 }, { timeoutMs: 60_000, dial });
    mock.timers.reset();
    assert.deepEqual(limits, [1_001_000, 1_004_000]);
  });

  it('reports what the broker did not confirm', async () => {
    await publish(3);
    broker.failSettles(1);
    await assert.rejects(
      pull(() => {}),
      (error) => isMemphisError(error, 'SETTLE_UNCONFIRMED'),
    );
    assert.equal(broker.unsettled('orders', 'billing'), 1);
  });
});

describe('when all messages failed', () => {
  it('fails the invocation after settling, with the first failure as its cause', async () => {
    await publish(3);
    const handler = each<number, unknown>((n) => {
      throw new Error(`boom ${n}`);
    });
    await assert.rejects(pull(handler), (error) => {
      assert.ok(isMemphisError(error, 'ALL_MESSAGES_FAILED'));
      assert.equal(error.cause instanceof Error && error.cause.message, 'boom 0');
      return true;
    });
    await clock.advance(1000);
    assert.equal((await pull(() => {})).received, 3);
  });

  it('succeeds all the same when told so', async () => {
    await publish(2);
    const summary = await pull(
      () => {
        throw new Error('boom');
      },
      { failWhenAllFail: false },
    );
    assert.deepEqual(summary, { ...zero, batches: 1, received: 2, retried: 2 });
  });

  it('does not count one of several batches as all', async () => {
    await publish(4);
    let calls = 0;
    const summary = await pull(
      () => {
        calls += 1;
        if (calls === 1) throw new Error('boom');
      },
      { drain: true, batchSize: 2 },
    );
    assert.deepEqual(summary, { ...zero, batches: 2, received: 4, acked: 2, retried: 2 });
  });
});

it('ends when all is over, also what did not fit a schema beside messages whose acks are not confirmed', async () => {
  let isOver = false;
  const batch = makeBatch([1, 'unfit'], {
    settle: async (_message, { action }) => {
      if (action === 'ack') throw new MemphisError('SETTLE_UNCONFIRMED', 'no answer');
      for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
      isOver = true;
      return 'deadLettered';
    },
  });
  const number: StandardSchema = {
    '~standard': {
      version: 1,
      vendor: 'test',
      validate: (value) => (typeof value === 'number' ? { value } : { issues: [{ message: 'no number' }] }),
    },
  };
  const reader = { pull: async () => batch };
  const dial = async () => ({ reader: () => reader }) as unknown as MemoryBroker;
  await assert.rejects(
    pull(() => {}, { schema: standard(number) }, { dial }),
    (error) => isMemphisError(error, 'SETTLE_UNCONFIRMED'),
  );
  assert.ok(isOver);
});

it('ends at its deadline where a validator never answers: no handler is called, and what it says later counts no more', async () => {
  await publish(2);
  const answer = Promise.withResolvers<{ issues: { message: string }[] }>();
  const hanging: StandardSchema = { '~standard': { version: 1, vendor: 'test', validate: () => answer.promise } };
  const run = pull(() => assert.fail('called'), { schema: standard(hanging) }, { timeoutMs: 400 });
  await assert.rejects(run, ({ cause }: Error) => isMemphisError(cause, 'DEADLINE_EXCEEDED'));
  answer.resolve({ issues: [{ message: 'does not fit' }] });
  for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
  assert.equal(await broker.deadLetterStore('orders', false).count(), 0);
  await clock.advance(60_000);
  assert.equal((await pull(() => {})).acked, 2);
});

describe('draining', () => {
  it('goes on until the station is empty', async () => {
    await publish(25);
    assert.deepEqual(await pull(() => {}, { drain: true }), { ...zero, batches: 3, received: 25, acked: 25 });
  });

  it('stops at maxBatches', async () => {
    await publish(25);
    assert.equal((await pull(() => {}, { drain: true, maxBatches: 2 })).batches, 2);
  });

  it('stops when too little time is left for another batch like the longest', async () => {
    await publish(100);
    const summary = await pull(
      () => clock.advance(4000),
      { drain: true, deadlineReserveMs: 1000 },
      { timeoutMs: 14_000 },
    );
    assert.equal(summary.batches, 3); // 13 s for work: a fourth batch of 4 s would not end in time
    assert.equal(summary.acked, 30);
  });
});
