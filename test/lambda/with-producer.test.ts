import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';

import type { ProducerContext } from '../../src/lambda/producer-tools.ts';
import { withProducer, wrapProducer } from '../../src/lambda/with-producer.ts';

import { isMemphisError, MemphisError } from '../../src/model/errors.ts';
import { makeContext } from '../../src/testing/make-context.ts';
import { makeFakeDataSide } from '../support/fake-data-side.ts';
import { watchProcess } from '../support/process-watch.ts';

const lost = (): MemphisError => new MemphisError('CONNECTION_LOST', 'gone');
const never = (): Promise<never> => new Promise(() => {});
/** Lets everything that needs no timer happen. */
const settle = async (): Promise<void> => {
  for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve));
};
const mockTime = (t: TestContext): void => t.mock.timers.enable({ apis: ['setTimeout', 'Date'], now: 1_000_000 });

test('the handler gets its event, produces to its station and returns its result', async () => {
  const { produced, load } = makeFakeDataSide();
  const wrapped = wrapProducer(
    async (event: { id: number }, context: ProducerContext) => {
      const receipt = await context.produce({ id: event.id }, { msgId: 'm', headers: { a: 'b' } });
      return `${receipt.station} ${receipt.sequence}`;
    },
    { station: 'orders', producerName: 'api' },
    load,
  );
  assert.equal(await wrapped({ id: 7 }, makeContext()), 'orders 1');
  const [{ message, station, name, options } = {}] = produced as Partial<(typeof produced)[0]>[];
  assert.deepEqual({ message, station, name }, { message: { id: 7 }, station: 'orders', name: 'api' });
  assert.equal(options?.msgId, 'm');
  assert.deepEqual(options?.headers, { a: 'b' });
});

test('context.memphis produces anywhere, under names of their own too', async () => {
  const { produced, counts, load } = makeFakeDataSide();
  const wrapped = wrapProducer(
    async (_: unknown, { memphis }: ProducerContext) => {
      await memphis.produce('invoices', 'a');
      const producer = await memphis.createProducer('invoices', { name: 'billing' });
      await producer.produce('b');
      assert.equal(memphis.isConnected(), true);
      assert.deepEqual(await memphis.fetchMessages('invoices', { group: 'g' }), []);
    },
    undefined,
    load,
  );
  await wrapped({}, makeContext());
  await wrapped({}, makeContext());
  assert.deepEqual(
    produced.map(({ station, name, message }) => [station, name, message]),
    [0, 1].flatMap(() => [
      ['invoices', 'memphis-serverless', 'a'],
      ['invoices', 'billing', 'b'],
    ]),
  );
  assert.deepEqual(counts, { loads: 1, producers: 2, warms: 0 });
});

test('the tools are on the very context of the invocation, its methods still there', async () => {
  const { load } = makeFakeDataSide();
  const context = makeContext();
  let seen: unknown;
  await wrapProducer(
    (_: unknown, given) => {
      seen = given;
    },
    { station: 'a' },
    load,
  )({}, context);
  assert.equal(seen, context);
  assert.ok('produce' in context && 'memphis' in context);
});

for (const [what, context] of [
  ['no context', undefined],
  ['a frozen context', Object.freeze(makeContext())],
] as const) {
  test(`${what} does not keep a handler from producing`, async () => {
    const { produced, load } = makeFakeDataSide();
    const wrapped = wrapProducer((_: unknown, given: ProducerContext) => given.produce('a'), { station: 's' }, load);
    assert.equal((await wrapped({}, context as never)).sequence, 1);
    assert.equal(produced.length, 1);
  });
}

test('the function returns when everything produced is confirmed, awaited or not', async () => {
  const gate = Promise.withResolvers<void>();
  const { produced, load } = makeFakeDataSide({ onProduce: () => gate.promise });
  const wrapped = wrapProducer(
    async (_: unknown, context: ProducerContext) => {
      void context.produce('a');
      void context.memphis.produce('other', 'b');
      return 'done';
    },
    { station: 's' },
    load,
  );
  let isBack = false;
  const running = wrapped({}, makeContext()).then((result) => {
    isBack = true;
    return result;
  });
  await settle();
  assert.equal(isBack, false);
  gate.resolve();
  assert.equal(await running, 'done');
  assert.equal(produced.length, 2);
});

test('a handler that throws is waited for as well, and its own error comes out', async () => {
  const gate = Promise.withResolvers<void>();
  const { produced, load } = makeFakeDataSide({ onProduce: () => gate.promise });
  const wrapped = wrapProducer(
    (_: unknown, context: ProducerContext) => {
      void context.produce('a');
      throw new Error('mine');
    },
    { station: 's' },
    load,
  );
  const running = assert.rejects(wrapped({}, makeContext()), /mine/);
  await settle();
  assert.equal(produced.length, 0);
  gate.resolve();
  await running;
  assert.equal(produced.length, 1);
});

test('failures that nobody awaited fail the invocation: the first is thrown, the others are logged', async () => {
  const { load } = makeFakeDataSide({
    onProduce: async ({ message }) => {
      throw new MemphisError(message === 'a' ? 'STORAGE_FULL' : 'CONNECTION_LOST', 'x');
    },
  });
  const wrapped = wrapProducer(
    async (_: unknown, context: ProducerContext) => {
      void context.produce('a');
      void context.produce('b');
      return 'fine';
    },
    { station: 's' },
    load,
  );
  const { rejections, lines } = await watchProcess(() =>
    assert.rejects(wrapped({}, makeContext()), { code: 'STORAGE_FULL' }),
  );
  assert.deepEqual(rejections, []);
  assert.deepEqual(
    lines.map((line) => JSON.parse(line).code),
    ['CONNECTION_LOST'],
  );
});

test('a failure that nobody awaited is logged when the handler throws something else', async () => {
  const { load } = makeFakeDataSide({ onProduce: () => Promise.reject(lost()) });
  const wrapped = wrapProducer(
    (_: unknown, context: ProducerContext) => {
      void context.produce('a');
      throw new Error('mine');
    },
    { station: 's' },
    load,
  );
  const { rejections, lines } = await watchProcess(() => assert.rejects(wrapped({}, makeContext()), /mine/));
  assert.deepEqual(rejections, []);
  assert.equal(JSON.parse(lines[0] ?? '').code, 'CONNECTION_LOST');
});

test('a failure that the handler caught is its own business', async () => {
  const { load } = makeFakeDataSide({ onProduce: () => Promise.reject(lost()) });
  const wrapped = wrapProducer(
    async (_: unknown, context: ProducerContext) => {
      try {
        await context.produce('a');
        return 'stored';
      } catch (error) {
        return isMemphisError(error) ? error.code : 'other';
      }
    },
    { station: 's' },
    load,
  );
  const { result, lines } = await watchProcess(() => wrapped({}, makeContext()));
  assert.equal(result, 'CONNECTION_LOST');
  assert.deepEqual(lines, []);
});

test('async resolves when the message is written, and the function returns when it is stored', async () => {
  const gate = Promise.withResolvers<void>();
  const { produced, load } = makeFakeDataSide({ onProduce: () => gate.promise });
  const seen: unknown[] = [];
  const wrapped = wrapProducer(
    async (_: unknown, { produce, memphis }: ProducerContext) => {
      seen.push(await produce('a', { async: true }));
      seen.push(await memphis.produce('other', 'b', { async: true }));
      seen.push(await (await memphis.createProducer('third')).produce('c', { async: true }));
      return 'done';
    },
    { station: 's' },
    load,
  );
  let isBack = false;
  const running = wrapped({}, makeContext()).then((result) => {
    isBack = true;
    return result;
  });
  await settle();
  assert.deepEqual(seen, [
    { station: 's', partition: 1 },
    { station: 'other', partition: 1 },
    { station: 'third', partition: 1 },
  ]);
  assert.deepEqual([isBack, produced.length], [false, 0]);
  gate.resolve();
  assert.equal(await running, 'done');
  assert.equal(produced.length, 3);
});

test('a failure of what was produced without waiting fails the invocation, though its promise was awaited', async () => {
  const { load } = makeFakeDataSide({ onProduce: () => Promise.reject(lost()) });
  const wrapped = wrapProducer(
    async (_: unknown, { produce }: ProducerContext) => {
      await produce('a', { async: true });
    },
    { station: 's' },
    load,
  );
  const { rejections, lines } = await watchProcess(() =>
    assert.rejects(wrapped({}, makeContext()), { code: 'CONNECTION_LOST' }),
  );
  assert.deepEqual([rejections, lines], [[], []]);
});

test('an onError takes such a failure: that of the produce, else of the producer, else of the wrapper', async () => {
  const { load } = makeFakeDataSide({ onProduce: () => Promise.reject(lost()) });
  const taken: string[] = [];
  const wrapped = wrapProducer(
    async (_: unknown, { produce, memphis }: ProducerContext) => {
      await produce('a', { async: true });
      await produce('b', { async: true, onError: () => taken.push('produce') });
      const producer = await memphis.createProducer('t', { onError: () => taken.push('producer') });
      await producer.produce('c', { async: true });
      return 'done';
    },
    { station: 's', onError: (_, { message }) => taken.push(`wrapper ${message}`) },
    load,
  );
  assert.equal(await wrapped({}, makeContext()), 'done');
  assert.deepEqual(taken.sort(), ['produce', 'producer', 'wrapper a']);
});

test('a batch has a result for each message, within what the invocation has left', async (t) => {
  mockTime(t);
  const options: unknown[] = [];
  const { load } = makeFakeDataSide({
    onProduce: async (item) => {
      options.push([item.options.ackWaitMs, item.options.deadlineMs, item.options.msgId]);
      if (item.message === 'b') throw lost();
    },
  });
  const wrapped = wrapProducer(
    (_: unknown, { memphis }: ProducerContext) =>
      memphis.produceBatch('s', ['a', 'b'], { ackWaitMs: 700, optionsFor: (text) => ({ msgId: text }) }),
    undefined,
    load,
  );
  const results = await wrapped({}, makeContext({ timeoutMs: 3_000 }));
  assert.deepEqual(
    results.map((result) => (result.ok ? result.receipt.sequence : result.error.code)),
    [1, 'CONNECTION_LOST'],
  );
  assert.deepEqual(options, [
    [700, 1_002_500, 'a'],
    [700, 1_002_500, 'b'],
  ]);
});

test('a batch that nobody awaited is over before the function returns', async () => {
  const gate = Promise.withResolvers<void>();
  const { produced, load } = makeFakeDataSide({ onProduce: () => gate.promise });
  const wrapped = wrapProducer(
    (_: unknown, { memphis }: ProducerContext) => {
      void memphis.produceBatch('s', ['a', 'b']);
    },
    undefined,
    load,
  );
  const running = wrapped({}, makeContext());
  await settle();
  gate.resolve();
  await running;
  assert.equal(produced.length, 2);
});

test('after the invocation nothing is produced any more, and it is said aloud', async () => {
  const { produced, load } = makeFakeDataSide();
  let kept: ProducerContext | undefined;
  const wrapped = wrapProducer(
    (_: unknown, context: ProducerContext) => {
      kept = context;
    },
    { station: 's' },
    load,
  );
  const { rejections, lines } = await watchProcess(async () => {
    await wrapped({}, makeContext());
    void kept?.produce('late');
    await settle();
  });
  assert.deepEqual([produced.length, rejections.length], [0, 0]);
  assert.equal(JSON.parse(lines[0] ?? '').code, 'CLOSED');
});

for (const [remainingMs, given, expectedMs] of [
  [3_000, undefined, 2_500],
  [60_000, undefined, 15_000],
  [60_000, 700, 700],
  [1_000, 700, 500],
] as const) {
  test(`with ${remainingMs} ms left and ackWaitMs ${given}, a produce takes ${expectedMs} ms at most`, async (t) => {
    mockTime(t);
    const limits: unknown[] = [];
    const { load } = makeFakeDataSide({ onProduce: async ({ options }) => limits.push(options.ackWaitMs) });
    const wrapped = wrapProducer(
      (_: unknown, context: ProducerContext) => context.produce('a', given === undefined ? {} : { ackWaitMs: given }),
      { station: 's' },
      load,
    );
    await wrapped({}, makeContext({ timeoutMs: remainingMs }));
    assert.deepEqual(limits, [expectedMs]);
  });
}

test('without time nothing is sent', async () => {
  const { counts, load } = makeFakeDataSide();
  const wrapped = wrapProducer((_: unknown, context: ProducerContext) => context.produce('a'), { station: 's' }, load);
  await assert.rejects(wrapped({}, makeContext({ timeoutMs: 400 })), { code: 'TIMEOUT' });
  assert.equal(counts.producers, 0);
});

test('where a context tells no time, a batch whose dial fails fails with that, and dials once', async () => {
  let dials = 0;
  const { load } = makeFakeDataSide({
    onBroker: async () => {
      dials++;
      throw new MemphisError('CONNECT_FAILED', 'nobody is there');
    },
  });
  const wrapped = wrapProducer(
    (_: unknown, context: ProducerContext) => context.memphis.produceBatch('s', ['a']),
    { station: 's' },
    load,
  );
  await assert.rejects(wrapped({}, undefined as never), { code: 'CONNECT_FAILED', message: 'nobody is there' });
  assert.equal(dials, 1);
});

test('a dial that hangs ends at the limit, sends nothing later, and is tried anew by the next invocation', async (t) => {
  mockTime(t);
  const dial = Promise.withResolvers<void>();
  let dials = 0;
  const deadlines: unknown[] = [];
  const { produced, load } = makeFakeDataSide({
    onBroker: (options) => {
      deadlines.push(options?.deadlineMs);
      return dials++ === 0 ? dial.promise : Promise.resolve();
    },
  });
  const wrapped = wrapProducer((_: unknown, context: ProducerContext) => context.produce('a'), { station: 's' }, load);
  const running = assert.rejects(wrapped({}, makeContext({ timeoutMs: 3_000 })), { code: 'CONNECT_FAILED' });
  await settle();
  t.mock.timers.tick(2_500);
  await running;
  assert.deepEqual(deadlines, [1_002_500]);
  assert.equal((await wrapped({}, makeContext())).sequence, 1);
  dial.resolve();
  await settle();
  assert.equal(produced.length, 1);
});

test('an invocation that has time is not failed by the dial of another one that has little', async (t) => {
  mockTime(t);
  const { load } = makeFakeDataSide({
    onBroker: ({ deadlineMs = 0 } = {}) =>
      new Promise((resolve, reject) => {
        const isLate = deadlineMs < 1_001_000;
        const late = new MemphisError('CONNECT_FAILED', 'no answer in time');
        setTimeout(() => (isLate ? reject(late) : resolve(undefined)), isLate ? deadlineMs - 1_000_000 : 1_000);
      }),
  });
  const wrapped = wrapProducer((_: unknown, context: ProducerContext) => context.produce('a'), { station: 's' }, load);
  const short = assert.rejects(wrapped({}, makeContext({ timeoutMs: 700 })), { code: 'CONNECT_FAILED' });
  const long = wrapped({}, makeContext({ timeoutMs: 30_000 }));
  for (const ms of [200, 1_000]) {
    await settle();
    t.mock.timers.tick(ms);
  }
  await short;
  assert.equal((await long).sequence, 1);
});

test('a publish that hangs is given up before the invocation ends', async (t) => {
  mockTime(t);
  const { load } = makeFakeDataSide({ onProduce: never });
  const wrapped = wrapProducer((_: unknown, context: ProducerContext) => context.produce('a'), { station: 's' }, load);
  const context = makeContext({ timeoutMs: 3_000 });
  const running = assert.rejects(wrapped({}, context), { code: 'TIMEOUT' });
  await settle();
  t.mock.timers.tick(2_800);
  await running;
  assert.ok(context.getRemainingTimeInMillis() >= 200);
});

test('a station that went missing is looked up again', async () => {
  let isMissing = true;
  const { counts, load } = makeFakeDataSide({
    onProduce: async () => {
      if (isMissing) throw new MemphisError('STATION_NOT_FOUND', 'x');
    },
  });
  const wrapped = wrapProducer((_: unknown, context: ProducerContext) => context.produce('a'), { station: 's' }, load);
  await assert.rejects(wrapped({}, makeContext()), { code: 'STATION_NOT_FOUND' });
  isMissing = false;
  await wrapped({}, makeContext());
  assert.equal(counts.producers, 2);
});

test('options are checked when the handler is wrapped', () => {
  const wrap = (options: unknown) => () => withProducer(() => {}, options as never);
  assert.throws(wrap({ statoin: 'a' }), { code: 'INVALID_OPTION', message: /Did you mean station/ });
  assert.throws(wrap({ ackWaitMs: 0 }), { code: 'INVALID_OPTION' });
  assert.throws(wrap({ station: 'no spaces' }), { code: 'INVALID_NAME' });
  assert.throws(() => withProducer(undefined as never), { code: 'INVALID_OPTION' });
});

test('options of one produce are checked', async () => {
  const { load } = makeFakeDataSide();
  const options = { partitionkey: 'a' } as never;
  const wrapped = wrapProducer((_: unknown, c: ProducerContext) => c.produce('a', options), { station: 's' }, load);
  await assert.rejects(wrapped({}, makeContext()), { code: 'INVALID_OPTION', message: /partitionKey/ });
});

test('without a station context.produce says what to set', async () => {
  const { load } = makeFakeDataSide();
  const wrapped = wrapProducer((_: unknown, context: ProducerContext) => context.produce('a'), undefined, load);
  await assert.rejects(wrapped({}, makeContext()), { code: 'INVALID_OPTION', message: /MEMPHIS_STATION/ });
});

test('the environment is read at the first invocation', async (t) => {
  const { produced, load } = makeFakeDataSide();
  const wrapped = wrapProducer((_: unknown, context: ProducerContext) => context.produce('a'), undefined, load);
  process.env.MEMPHIS_STATION = 'from-env';
  t.after(() => {
    delete process.env.MEMPHIS_STATION;
  });
  await wrapped({}, makeContext());
  assert.equal(produced[0]?.station, 'from-env');
});

test('a client that could not be made is made anew by the next invocation', async () => {
  const { load } = makeFakeDataSide();
  let loads = 0;
  const wrapped = wrapProducer(
    (_: unknown, context: ProducerContext) => context.produce('a'),
    { station: 's' },
    () => (loads++ === 0 ? Promise.reject(lost()) : load()),
  );
  await assert.rejects(wrapped({}, makeContext()), { code: 'CONNECTION_LOST' });
  assert.equal((await wrapped({}, makeContext())).sequence, 1);
});

test('prefetch dials while the module loads and never rejects there', async () => {
  const { counts, load } = makeFakeDataSide();
  wrapProducer(() => {}, { prefetch: true }, load);
  await settle();
  assert.equal(counts.warms, 1);
  const { rejections } = await watchProcess(async () => {
    wrapProducer(
      () => {},
      { prefetch: true },
      () => Promise.reject(lost()),
    );
    wrapProducer(
      () => {},
      { prefetch: true },
      () => {
        throw lost();
      },
    );
  });
  assert.deepEqual(rejections, []);
});

test('without prefetch wrapping loads nothing', async () => {
  const { counts, load } = makeFakeDataSide();
  wrapProducer(() => {}, { station: 's' }, load);
  await settle();
  assert.equal(counts.loads, 0);
});

test('no timer is left when the function returns', async () => {
  const { load } = makeFakeDataSide();
  const wrapped = wrapProducer((_: unknown, context: ProducerContext) => context.produce('a'), { station: 's' }, load);
  const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
  const before = timers();
  await wrapped({}, makeContext());
  assert.equal(timers(), before);
});

test('the runtime sees two parameters', () => {
  assert.equal(withProducer(() => {}).length, 2);
});
