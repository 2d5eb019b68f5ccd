/** `memphisConsumer` in real chains of Middy 6 and 7, on a broker in memory: whatever else stands in the chain. */

import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, mock, test } from 'node:test';
import { each } from '../../src/batch/each.ts';
import { memphisConsumer } from '../../src/middy/index.ts';
import type { LambdaContext } from '../../src/model/lambda-context.ts';
import type { Message } from '../../src/model/message.ts';
import { DeadLetter } from '../../src/model/outcome.ts';
import { toStationSettings } from '../../src/model/station-settings.ts';
import { type MemoryBroker, makeContext, makeEvent, makeMemoryBroker, useBroker } from '../../src/testing/index.ts';
import { middies } from '../support/middies.ts';

type Messages = readonly Message<string>[];
type Seen = (messages: Messages) => unknown;

const settings = { station: 'orders', group: 'billing', backoffBaseMs: 0, backoffMaxMs: 0 } as const;
const textsOf = (messages: Messages): string[] => messages.map((message) => message.text());
const ids = ['orders$1:1', 'orders$1:2', 'orders$1:3'];

let broker: MemoryBroker;
let end: () => void;
let logged: () => string[];
beforeEach(async () => {
  broker = makeMemoryBroker();
  await broker.createStation('orders', toStationSettings('orders', {}));
  end = useBroker(broker);
  const error = mock.method(console, 'error', () => {});
  logged = () => error.mock.calls.map((call) => call.arguments.map(String).join(' '));
});
afterEach(() => {
  end();
  mock.restoreAll();
});

async function store(...texts: readonly string[]): Promise<void> {
  for (const text of texts) {
    const data = new TextEncoder().encode(text);
    await broker.publish(
      { station: 'orders', partition: 1, data, headers: {}, producerName: 'test' },
      { timeoutMs: 1_000 },
    );
  }
}

/** What is there to be pulled now, and how often it was delivered. */
async function waiting(): Promise<(readonly [text: string, deliveryCount: number])[]> {
  const reader = broker.reader({ station: 'orders', group: 'billing', ackWaitMs: 30_000, maxDeliveries: 100 });
  const { messages } = await reader.pull({ batchSize: 100, waitMs: 0 });
  return messages.map(({ data, deliveryCount }) => [new TextDecoder().decode(data), deliveryCount] as const);
}

for (const [version, middy] of middies) {
  /** A chain with a consumer, and a handler that notes what it sees. */
  const make = (handle: Seen = () => {}, options: object = {}, middyOptions: object = {}) => {
    const seen: string[][] = [];
    const chain = middy((messages: Messages) => {
      seen.push(textsOf(messages));
      return handle(messages);
    }, middyOptions);
    return { chain, seen, consumer: memphisConsumer({ ...settings, ...options }) };
  };
  const fail = (): never => {
    throw new Error('boom');
  };

  describe(`a consumer under Middy ${version}, pulling`, () => {
    test('the handler gets the messages in place of the event; the answer is the summary', async () => {
      await store('a', 'b');
      const { chain, seen, consumer } = make(() => 'anything');
      const summary = await chain.use(consumer)({ 'detail-type': 'Scheduled Event' }, makeContext());
      assert.deepEqual(seen, [['a', 'b']]);
      assert.partialDeepStrictEqual(summary, { station: 'orders', group: 'billing', received: 2, acked: 2 });
      assert.equal(broker.unsettled('orders', 'billing'), 0);
    });

    test('each works as under withMemphis', async () => {
      await store('good', 'bad');
      const handler = each<string>((text) => {
        if (text === 'bad') throw new DeadLetter({ reason: 'no' });
      });
      const summary = await middy(handler).use(memphisConsumer(settings))({}, makeContext());
      assert.partialDeepStrictEqual(summary, { received: 2, acked: 1, deadLettered: 1 });
    });

    test('an empty station ends the chain early, and those before it are told to clean up', async () => {
      const { chain, seen, consumer } = make();
      const order: string[] = [];
      const outer = {
        before: ({ internal }: { internal: Record<PropertyKey, unknown> }) => {
          internal['powertools-for-aws.metrics'] = async () => void order.push('cleaned up');
        },
        after: () => void order.push('outer after'),
      };
      const inner = { before: () => void order.push('inner before') };
      const summary = await chain.use(outer).use(consumer).use(inner)({}, makeContext());
      assert.partialDeepStrictEqual(summary, { received: 0, batches: 0 });
      assert.deepEqual([seen, order], [[], ['cleaned up']]);
    });

    test('when all messages failed the invocation fails, and an onError before it hears so', async () => {
      await store('a', 'b');
      const { chain, consumer } = make(fail);
      const heard: unknown[] = [];
      const outer = { onError: ({ error }: { error?: unknown }) => void heard.push(error) };
      await assert.rejects(chain.use(outer).use(consumer)({}, makeContext()), {
        code: 'ALL_MESSAGES_FAILED',
        cause: new Error('boom'),
      });
      assert.equal((heard[0] as { code?: unknown }).code, 'ALL_MESSAGES_FAILED');
      assert.deepEqual(await waiting(), [
        ['a', 2],
        ['b', 2],
      ]);
    });

    test('what some messages have been through counts, the others are retried, and the answer says so', async () => {
      await store('a', 'b');
      const { chain, consumer } = make(async ([first]) => {
        await first?.ack();
        throw new Error('boom');
      });
      const summary = await chain.use(consumer)({}, makeContext());
      assert.partialDeepStrictEqual(summary, { received: 2, acked: 1, retried: 1 });
      assert.match(logged()[0] ?? '', /boom/);
    });

    test('without a station it says what to set', async () => {
      const chain = middy(() => {}).use(memphisConsumer({ group: 'billing' }));
      await assert.rejects(chain({}, makeContext()), {
        code: 'INVALID_OPTION',
        message: /^memphisConsumer: .*station/,
      });
    });

    test('what pulling throws goes through the chain as any error does', async () => {
      await broker.destroyStation('orders');
      const { chain, seen, consumer } = make();
      const outer = { onError: () => 'handled' };
      assert.equal(await chain.use(outer).use(consumer)({}, makeContext()), 'handled');
      assert.deepEqual(seen, []);
    });
  });

  describe(`a consumer under Middy ${version}, pushed`, () => {
    const event = makeEvent({ messages: ['a', 'b', 'c'] });
    const retried = (reason: string) =>
      ids.map((itemIdentifier) => ({ itemIdentifier, action: 'retry', delayMs: 0, reason }));

    test('the answer is the partial batch response', async () => {
      const { chain, seen, consumer } = make(() => ({ batchItemFailures: [{ itemIdentifier: ids[1] }] }));
      assert.deepEqual(await chain.use(consumer)(event, makeContext()), {
        batchItemFailures: [{ itemIdentifier: ids[1], action: 'retry', delayMs: 0 }],
      });
      assert.deepEqual(seen, [['a', 'b', 'c']]);
    });

    test('an error for the whole batch fails the invocation', async () => {
      const { chain, consumer } = make(fail);
      await assert.rejects(chain.use(consumer)(event, makeContext()), new Error('boom'));
    });

    test('an error after some messages were settled is answered message by message', async () => {
      const { chain, consumer } = make(async ([first]) => {
        await first?.ack();
        throw new Error('boom');
      });
      const answer = await chain.use(consumer)(event, makeContext());
      assert.deepEqual(answer, { batchItemFailures: retried('Error: boom').slice(1) });
    });

    test('an early answer in place of the handler gives the messages back, with a delay', async () => {
      const { chain, seen, consumer } = make(() => {}, { backoffBaseMs: 60_000, backoffMaxMs: 60_000 });
      const answer = await chain.use(consumer).use({ before: () => 'closed today' })(event, makeContext());
      const { batchItemFailures } = answer as { batchItemFailures: Record<string, unknown>[] };
      assert.deepEqual(
        batchItemFailures.map(({ itemIdentifier, unseen }) => [itemIdentifier, unseen]),
        ids.map((id) => [id, true]),
      );
      assert.ok(batchItemFailures.every(({ delayMs }) => Number(delayMs) >= 30_000));
      assert.deepEqual(seen, []);
    });

    test('a middleware behind it that throws fails the invocation as the handler would', async () => {
      const { chain, seen, consumer } = make();
      await assert.rejects(chain.use(consumer).use({ before: fail })(event, makeContext()), new Error('boom'));
      assert.deepEqual(seen, []);
    });

    test('it needs neither station nor broker', async () => {
      end();
      const chain = middy((messages: Messages) => void textsOf(messages)).use(memphisConsumer());
      assert.deepEqual(await chain(event, makeContext()), { batchItemFailures: [] });
    });

    test('a damaged event is a typed error', async () => {
      const { chain, consumer } = make();
      const broken = { ...event, messages: 'none' };
      await assert.rejects(chain.use(consumer)(broken, makeContext()), { code: 'INVALID_EVENT' });
    });
  });

  describe(`a consumer under Middy ${version}, among others`, () => {
    test('its hooks run in their places', async () => {
      await store('a');
      const order: string[] = [];
      const note = (name: string) => ({
        before: ({ event }: { event: unknown }) => void order.push(`${name} before ${Array.isArray(event)}`),
        after: () => void order.push(`${name} after ${broker.unsettled('orders', 'billing')}`),
      });
      const { chain, consumer } = make(() => void order.push('handler'));
      await chain.use(note('outer')).use(consumer).use(note('inner'))({}, makeContext());
      assert.deepEqual(order, ['outer before false', 'inner before true', 'handler', 'inner after 1', 'outer after 0']);
    });

    const answers: readonly (readonly [string, object])[] = [
      ['returns one', { before: () => 'early' }],
      ['returns a promise of one', { before: async () => 'early' }],
      [
        'sets earlyResponse',
        { before: (request: { earlyResponse?: unknown }) => void Object.assign(request, { earlyResponse: 'early' }) },
      ],
      ['returns null', { before: () => null }],
    ];
    for (const [how, inner] of answers) {
      test(`an early answer in place of the handler gives the messages back before the invocation ends: it ${how}`, async () => {
        await store('a', 'b');
        const { chain, seen, consumer } = make();
        const answer = await chain.use(consumer).use(inner)({}, makeContext());
        assert.equal(answer, how === 'returns null' ? null : 'early');
        assert.deepEqual(seen, []);
        assert.deepEqual(
          (await waiting()).map(([text]) => text),
          ['a', 'b'],
        );
      });
    }

    test('an early answer gives back messages too that a middleware has taken off the list', async () => {
      await store('a', 'b');
      const { chain, consumer } = make();
      const inner = {
        before: ({ event: messages }: { event: unknown }) => {
          (messages as unknown[]).splice(0);
          return 'early';
        },
      };
      await chain.use(consumer).use(inner)({}, makeContext());
      assert.equal((await waiting()).length, 2);
    });

    test('an early answer that is undefined gives them back too', async () => {
      await store('a');
      const { chain, seen, consumer } = make();
      const inner = {
        before: (request: { earlyResponse?: unknown }) => void Object.assign(request, { earlyResponse: undefined }),
      };
      assert.equal(await chain.use(consumer).use(inner)({}, makeContext()), undefined);
      assert.deepEqual([seen, (await waiting()).length], [[], 1]);
    });

    test('an early answer that is a partial batch response is obeyed', async () => {
      await store('a', 'b');
      const { chain, seen, consumer } = make();
      const inner = { before: () => ({ batchItemFailures: [{ itemIdentifier: ids[1] }] }) };
      await chain.use(consumer).use(inner)({}, makeContext());
      assert.deepEqual([seen, await waiting()], [[], [['b', 2]]]);
    });

    test('what a middleware has settled itself stays so', async () => {
      await store('a', 'b');
      const { chain, consumer } = make();
      const inner = {
        before: async ({ event }: { event: unknown }) => {
          await (event as Messages)[0]?.ack();
          return 'early';
        },
      };
      await chain.use(consumer).use(inner)({}, makeContext());
      assert.deepEqual(
        (await waiting()).map(([text]) => text),
        ['b'],
      );
    });

    test('an early answer after the handler settles before the invocation ends, as the handler said', async () => {
      await store('a', 'b');
      const { chain, seen, consumer } = make();
      const order: string[] = [];
      const outer = { after: () => void order.push('outer after') };
      const answer = await chain
        .use(outer)
        .use(consumer)
        .use({ after: () => 'early' })({}, makeContext());
      assert.deepEqual([answer, seen, order], ['early', [['a', 'b']], []]);
      assert.equal(broker.unsettled('orders', 'billing'), 0);
    });

    test('requestEnd sees the answer, not a promise of it', async () => {
      await store('a');
      const ended: unknown[] = [];
      const requestEnd = ({ response }: { response?: unknown }) => void ended.push(response);
      const { chain, consumer } = make(() => {}, {}, { requestEnd });
      await chain.use(consumer).use({ after: () => 'early' })({}, makeContext());
      assert.deepEqual(ended, ['early']);
    });

    for (const [where, inner] of [
      ['before', { before: fail }],
      ['after', { after: fail }],
    ] as const) {
      test(`a middleware behind it that throws in ${where} puts the messages back`, async () => {
        await store('a', 'b');
        const { chain, consumer } = make();
        await assert.rejects(chain.use(consumer).use(inner)({}, makeContext()), { code: 'ALL_MESSAGES_FAILED' });
        assert.deepEqual(await waiting(), [
          ['a', 2],
          ['b', 2],
        ]);
      });
    }

    test('a middleware before it that throws in before pulls nothing', async () => {
      await store('a');
      const { chain, seen, consumer } = make();
      await assert.rejects(chain.use({ before: fail }).use(consumer)({}, makeContext()), new Error('boom'));
      assert.deepEqual([seen, await waiting()], [[], [['a', 1]]]);
    });

    test('a middleware before it that throws in after fails the invocation, and what is settled stays so', async () => {
      await store('a');
      const { chain, consumer } = make();
      await assert.rejects(chain.use({ after: fail }).use(consumer)({}, makeContext()), new Error('boom'));
      assert.equal(broker.unsettled('orders', 'billing'), 0);
    });

    for (const [how, onError] of [
      ['returns an answer', () => 'handled'],
      ['sets the response', (request: { response?: unknown }) => void Object.assign(request, { response: 'handled' })],
    ] as const) {
      test(`an onError behind it that ${how} does not make a failure a success`, async () => {
        await store('a');
        const { chain, consumer } = make(fail);
        await assert.rejects(chain.use(consumer).use({ onError })({}, makeContext()), { code: 'ALL_MESSAGES_FAILED' });
        assert.deepEqual(await waiting(), [['a', 2]]);
      });
    }

    test('an onError behind it that answers with a partial batch response is obeyed', async () => {
      await store('a', 'b');
      const { chain, consumer } = make(fail);
      const onError = () => ({ batchItemFailures: [{ itemIdentifier: ids[0] }] });
      await chain.use(consumer).use({ onError })({}, makeContext());
      assert.deepEqual(await waiting(), [['a', 2]]);
    });

    test('an onError behind it that throws leaves nothing unsettled', async () => {
      await store('a');
      const { chain, consumer } = make(fail);
      const onError = () => {
        throw new Error('worse');
      };
      await assert.rejects(chain.use(consumer).use({ onError })({}, makeContext()), new Error('worse'));
      await new Promise((resolve) => setImmediate(resolve));
      assert.deepEqual(await waiting(), [['a', 2]]);
    });

    test('an onError behind it may put another error in the place of the first', async () => {
      await store('a');
      const { chain, consumer } = make(fail, { failWhenAllFail: false });
      const onError = (request: { error?: unknown }) => {
        request.error = new Error('better');
      };
      assert.partialDeepStrictEqual(await chain.use(consumer).use({ onError })({}, makeContext()), { retried: 1 });
      assert.deepEqual(await waiting(), [['a', 2]]);
    });
  });

  describe(`the time of a consumer under Middy ${version}`, () => {
    test('a handler that is not done when the time to settle begins loses its messages, as under withMemphis', async () => {
      await store('a');
      const gate = Promise.withResolvers<void>();
      const signals: AbortSignal[] = [];
      const chain = middy(async (_: Messages, context: LambdaContext & { memphis: { signal: AbortSignal } }) => {
        signals.push(context.memphis.signal);
        await gate.promise;
      });
      const consumer = memphisConsumer({ ...settings, contextKey: 'memphis', deadlineReserveMs: 1_900 });
      const running = chain.use(consumer)({}, makeContext({ timeoutMs: 2_000 }));
      await new Promise((resolve) => setTimeout(resolve, 300));
      assert.equal(signals[0]?.aborted, true);
      assert.deepEqual(await waiting(), [['a', 2]]);
      gate.resolve();
      await assert.rejects(running, { code: 'ALL_MESSAGES_FAILED' });
    });

    test('Middy ends a handler that hangs, after the messages were put back', async () => {
      await store('a');
      const { chain, consumer } = make(
        () => new Promise(() => {}),
        { deadlineReserveMs: 1_900 },
        { timeoutEarlyInMillis: 1_700 },
      );
      await assert.rejects(chain.use(consumer)({}, makeContext({ timeoutMs: 2_000 })), { code: 'ALL_MESSAGES_FAILED' });
      assert.deepEqual(await waiting(), [['a', 2]]);
    });

    test('when Middy’s own limit comes first, the messages are put back then', async () => {
      await store('a');
      const { chain, consumer } = make(
        () => new Promise(() => {}),
        { deadlineReserveMs: 100 },
        { timeoutEarlyInMillis: 1_800 },
      );
      await assert.rejects(chain.use(consumer)({}, makeContext({ timeoutMs: 2_000 })), (error) => {
        assert.equal((error as { cause?: Error }).cause?.name, 'TimeoutError');
        return true;
      });
      assert.deepEqual(await waiting(), [['a', 2]]);
    });

    test('each starts nothing more when the time to settle begins', async () => {
      await store('a', 'b', 'c');
      const started: string[] = [];
      const handler = each<string>(
        async (text) => {
          started.push(text);
          await new Promise((resolve) => setTimeout(resolve, 400));
        },
        { concurrency: 1 },
      );
      const consumer = memphisConsumer({ ...settings, deadlineReserveMs: 1_900 });
      const summary = await middy(handler).use(consumer)({}, makeContext({ timeoutMs: 2_000 }));
      assert.partialDeepStrictEqual(summary, { received: 3, retried: 1, givenBack: 2 });
      await new Promise((resolve) => setTimeout(resolve, 600));
      assert.deepEqual(started, ['a']);
    });

    test('no timer is left when the function returns', async () => {
      const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
      const before = timers();
      for (const inner of [{ before: () => 'early' }, { before: fail }, { after: fail }, { onError: fail }, {}]) {
        await store('a');
        const { chain, consumer } = make();
        await chain
          .use(consumer)
          .use({ after: () => {}, ...inner })({}, makeContext())
          .catch(() => {});
        assert.equal(timers(), before);
      }
    });
  });

  describe(`the options of a consumer under Middy ${version}`, () => {
    test('two at the same time stay apart', async () => {
      await broker.createStation('other', toStationSettings('other', {}));
      await store('a');
      const { chain, seen, consumer } = make(() => new Promise((resolve) => setTimeout(resolve, 20)));
      const wrapped = chain.use(consumer);
      const [first, second] = await Promise.all([wrapped({}, makeContext()), wrapped({}, makeContext())]);
      assert.deepEqual(seen, [['a']]);
      assert.deepEqual([first, second].map((summary) => (summary as { received: number }).received).sort(), [0, 1]);
    });

    test('it may be used once', async () => {
      await store('a');
      const chain = middy(() => {})
        .use(memphisConsumer({ ...settings, failWhenAllFail: false }))
        .use(memphisConsumer(settings));
      assert.partialDeepStrictEqual(await chain({}, makeContext()), { retried: 1 });
      assert.match(logged().join(), /used once/);
    });
  });
}

test('unknown options, and those that cannot do anything under Middy, are refused', () => {
  for (const options of [
    { statoin: 'a' },
    { drain: true },
    { maxBatches: 2 },
    { prefetch: true },
    { setToContext: true },
  ]) {
    assert.throws(() => memphisConsumer(options as never), { code: 'INVALID_OPTION' });
  }
  assert.throws(() => memphisConsumer({ cacheExpiry: -2 }), { code: 'INVALID_OPTION' });
  assert.throws(() => memphisConsumer({ cacheKeyExpiry: { a: 'b' } } as never), { code: 'INVALID_OPTION' });
});
