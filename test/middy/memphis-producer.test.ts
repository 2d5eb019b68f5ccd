/** `memphisProducer` in real chains of Middy 6 and 7: everything produced is over, and seen, however a chain ends. */

import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import type { ProducerContext } from '../../src/lambda/producer-tools.ts';
import { memphisConsumer, memphisProducer } from '../../src/middy/index.ts';
import type { WholeBroker } from '../../src/model/broker.ts';
import { MemphisError } from '../../src/model/errors.ts';
import type { Message } from '../../src/model/message.ts';
import { toStationSettings } from '../../src/model/station-settings.ts';
import { type MemoryBroker, makeContext, makeMemoryBroker, useBroker } from '../../src/testing/index.ts';
import { type Hooks, middies } from '../support/middies.ts';
import { watchProcess } from '../support/process-watch.ts';

let memory: MemoryBroker;
let end: () => void;
/** Comes before anything is stored; a test may wait, or throw, in it. */
let onPublish: (station: string) => unknown;
beforeEach(async () => {
  memory = makeMemoryBroker();
  for (const station of ['orders', 'audit']) await memory.createStation(station, toStationSettings(station, {}));
  onPublish = () => {};
  const broker: WholeBroker = {
    ...memory,
    publish: async (message, options) => {
      options.onWritten?.();
      await onPublish(message.station);
      return memory.publish(message, options);
    },
  };
  end = useBroker(broker);
});
afterEach(() => end());

const store = (text: string) =>
  memory.publish(
    { station: 'orders', partition: 1, data: new TextEncoder().encode(text), headers: {}, producerName: 'test' },
    { timeoutMs: 1_000 },
  );

async function stored(station: string): Promise<string[]> {
  const reader = memory.reader({ station, group: 'test', ackWaitMs: 30_000, maxDeliveries: 100 });
  const { messages } = await reader.pull({ batchSize: 100, waitMs: 0 });
  return messages.map(({ data }) => new TextDecoder().decode(data));
}

const full = (): never => {
  throw new MemphisError('STORAGE_FULL', 'full');
};
const fail = (): never => {
  throw new Error('boom');
};

for (const [version, middy] of middies) {
  type Handler = (event: unknown, context: ProducerContext) => unknown;
  const make = (handler: Handler, options: object = { station: 'audit' }) => ({
    chain: middy<unknown, ProducerContext>(handler),
    producer: memphisProducer(options),
  });

  describe(`a producer under Middy ${version}`, () => {
    test('the context has produce and memphis', async () => {
      const { chain, producer } = make(async (_, { produce, memphis }) => {
        await produce('a');
        const [result] = await memphis.produceBatch('orders', ['b']);
        return result?.ok;
      });
      assert.equal(await chain.use(producer)({}, makeContext()), true);
      assert.deepEqual([await stored('audit'), await stored('orders')], [['a'], ['b']]);
    });

    test('with contextKey they stand under that name, so that two producers fit', async () => {
      const chain = middy<unknown, { readonly one: ProducerContext; readonly two: ProducerContext }>(
        async (_, { one, two }) => {
          await one.produce('a');
          await two.produce('b');
        },
      );
      await chain
        .use(memphisProducer({ station: 'audit', contextKey: 'one' }))
        .use(memphisProducer({ station: 'orders', contextKey: 'two' }))({}, makeContext());
      assert.deepEqual([await stored('audit'), await stored('orders')], [['a'], ['b']]);
    });

    const endings: readonly (readonly [how: string, inner: Hooks, handler: Handler, ends: 'returns' | 'throws'])[] = [
      ['as usual', { after: () => {} }, () => {}, 'returns'],
      ['with an early answer in place of the handler', { before: () => 'early' }, () => {}, 'returns'],
      ['with an early answer behind the handler', { after: () => 'early' }, () => {}, 'returns'],
      ['with an error of the handler', { after: () => {} }, fail, 'throws'],
      ['with an error that is answered', { onError: () => 'handled' }, fail, 'returns'],
      ['with an error in before', { before: fail }, () => {}, 'throws'],
      ['with an error in after', { after: fail }, () => {}, 'throws'],
    ];
    for (const [how, inner, handler, ends] of endings) {
      test(`what nobody awaited is stored before a chain ends ${how}`, async () => {
        const gate = Promise.withResolvers<void>();
        onPublish = () => gate.promise;
        const { chain, producer } = make(handler);
        const first: Hooks = {
          before: ({ context }) => void (context as ProducerContext).produce('a'),
        };
        let isBack = false;
        const running = chain.use(producer).use(first).use(inner)({}, makeContext());
        const noted = running.then(
          () => 'returns',
          () => 'throws',
        );
        void noted.then(() => {
          isBack = true;
        });
        for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
        assert.equal(isBack, false);
        gate.resolve();
        assert.equal(await noted, ends);
        assert.deepEqual(await stored('audit'), ['a']);
      });

      test(`a failure that nobody took is not hidden when a chain ends ${how}`, async () => {
        onPublish = full;
        const { chain, producer } = make(handler);
        const first: Hooks = {
          before: ({ context }) => void (context as ProducerContext).produce('a'),
        };
        const { rejections, lines } = await watchProcess(() =>
          assert.rejects(
            chain.use(producer).use(first).use(inner)({}, makeContext()),
            ends === 'throws' ? new Error('boom') : { code: 'STORAGE_FULL' },
          ),
        );
        assert.deepEqual(rejections, []);
        const logged = lines.map((line) => JSON.parse(line).code);
        assert.deepEqual(logged, ends === 'throws' ? ['STORAGE_FULL'] : []);
      });
    }

    test('an onError takes a failure of what was produced without waiting', async () => {
      onPublish = full;
      const taken: string[] = [];
      const { chain, producer } = make(
        async (_, { produce }) => {
          await produce('a', { async: true });
          return 'done';
        },
        { station: 'audit', onError: (error: MemphisError) => taken.push(error.code) },
      );
      assert.equal(await chain.use(producer)({}, makeContext()), 'done');
      assert.deepEqual(taken, ['STORAGE_FULL']);
    });

    test('an onError behind it that throws is the error of the invocation', async () => {
      const { chain, producer } = make(fail);
      const onError = () => {
        throw new Error('worse');
      };
      await assert.rejects(chain.use(producer).use({ onError })({}, makeContext()), new Error('worse'));
    });

    test('after the invocation nothing is produced any more', async () => {
      let kept: ProducerContext | undefined;
      const { chain, producer } = make((_, context) => {
        kept = context;
      });
      await chain.use(producer)({}, makeContext());
      await assert.rejects(async () => kept?.produce('late'), { code: 'CLOSED' });
      assert.deepEqual(await stored('audit'), []);
    });

    for (const order of ['consumer first', 'producer first'] as const) {
      const chainOf = (handler: (messages: readonly Message[], context: ProducerContext) => unknown) => {
        const consumer = memphisConsumer({ station: 'orders', group: 'g', backoffBaseMs: 0, backoffMaxMs: 0 });
        const producer = memphisProducer({ station: 'audit' });
        const chain = middy<readonly Message[], ProducerContext>(handler);
        return order === 'consumer first' ? chain.use(consumer).use(producer) : chain.use(producer).use(consumer);
      };

      test(`${order}: messages are acked when what their handler produced is stored`, async () => {
        await store('a');
        const chain = chainOf((messages, { produce }) => {
          for (const message of messages) void produce(`seen ${message.text()}`, { async: true });
        });
        assert.partialDeepStrictEqual(await chain({}, makeContext()), { acked: 1 });
        assert.deepEqual(await stored('audit'), ['seen a']);
      });

      test(`${order}: messages come back when it is not stored`, async () => {
        await store('a');
        onPublish = full;
        const chain = chainOf((_, { produce }) => void produce('x', { async: true }));
        const { rejections } = await watchProcess(() => assert.rejects(chain({}, makeContext())));
        assert.deepEqual(rejections, []);
        assert.equal(memory.unsettled('orders', 'g'), 1);
      });
    }

    test('without a station context.produce says what to set', async () => {
      const { chain, producer } = make((_, { produce }) => produce('a'), {});
      await assert.rejects(chain.use(producer)({}, makeContext()), {
        code: 'INVALID_OPTION',
        message: /^memphisProducer: .*MEMPHIS_STATION/,
      });
    });
  });
}

test('options are checked when the middleware is made', () => {
  for (const options of [{ statoin: 'a' }, { prefetch: true }, { onError: 'x' }, { cacheExpiry: 1.5 }]) {
    assert.throws(() => memphisProducer(options as never), { code: 'INVALID_OPTION' });
  }
  assert.throws(() => memphisProducer({ station: 'no spaces' }), { code: 'INVALID_NAME' });
});
