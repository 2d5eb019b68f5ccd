/** Both middlewares on real brokers, and the snippet of README.md. */

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Context } from 'aws-lambda';
import { type Client, connect } from '../../src/index.ts';
import { each, type ProducerContext } from '../../src/lambda/index.ts';
import { memphisConsumer, memphisProducer } from '../../src/middy/index.ts';
import type { Message } from '../../src/model/message.ts';
import {
  ensureNatsServer,
  makeContext,
  type RunningBroker,
  startBroker,
  startFunction,
} from '../../src/testing/index.ts';
import { readDeadLetters } from '../support/dead-letters.ts';
import { middies } from '../support/middies.ts';
import { withRawApi } from '../support/raw-api.ts';
import { serversUnderTest } from '../support/servers.ts';

for (const { binary, version: server } of serversUnderTest()) {
  describe(`Middy on nats-server ${server}`, () => {
    let broker: RunningBroker;
    let memphis: Client;
    let made = 0;
    before(async () => {
      broker = await startBroker({ binary });
      memphis = await connect({ servers: [broker.url] });
    });
    after(async () => {
      await memphis.close();
      await broker.stop();
    });
    const newStation = async (...texts: readonly string[]): Promise<string> => {
      const name = `s${++made}`;
      await memphis.createStation(name, { storageType: 'memory', partitionsNumber: 2 });
      for (const text of texts) await memphis.produce(name, text);
      return name;
    };
    /** Messages that were handed out and not settled, over both partitions. */
    const unsettled = (station: string): Promise<number> =>
      withRawApi(broker.port, async (api) => {
        let sum = 0;
        for (const partition of [1, 2])
          sum += Number((await api(`CONSUMER.INFO.${station}$${partition}.g`)).num_ack_pending);
        return sum;
      });

    for (const [version, middy] of middies) {
      const consumer = (station: string, more: object = {}) =>
        memphisConsumer({ station, group: 'g', servers: [broker.url], ...more });

      test(`Middy ${version}: messages are acked, retried and dead-lettered, confirmed before the answer`, async () => {
        const station = await newStation('good', 'bad', 'later');
        const handler = async (messages: readonly Message[]) => {
          for (const message of messages) {
            if (message.text() === 'bad') await message.deadLetter('no');
            if (message.text() === 'later') await message.delay(60_000);
          }
        };
        const summary = await middy(handler).use(consumer(station))({}, makeContext());
        assert.partialDeepStrictEqual(summary, { received: 3, acked: 1, retried: 1, deadLettered: 1 });
        assert.deepEqual(
          (await readDeadLetters(broker.port, station)).map(({ text }) => text),
          ['bad'],
        );
      });

      test(`Middy ${version}: an early answer leaves nothing with the function`, async () => {
        const station = await newStation('a', 'b');
        const chain = middy(() => {})
          .use(consumer(station))
          .use({ before: () => 'early' });
        assert.equal(await chain({}, makeContext()), 'early');
        const messages = await memphis.fetchMessages(station, { group: 'g', batchMaxWaitMs: 0 });
        assert.equal(messages.length, 2, 'before the handler: given back, and there at once');
        for (const message of messages) await message.nack();

        const after = middy(() => {})
          .use(consumer(station))
          .use({ after: () => 'early' });
        assert.equal(await after({}, makeContext()), 'early');
        assert.equal(await unsettled(station), 0, 'behind the handler: acked');
        assert.deepEqual(await memphis.fetchMessages(station, { group: 'g', batchMaxWaitMs: 0 }), []);
      });

      test(`Middy ${version}: what a handler of messages produces is stored before they are acked`, async () => {
        const [from, to] = [await newStation('a', 'b'), await newStation()];
        const handler = each<string, Context & ProducerContext>((text, { context }) => {
          void context.produce(`seen ${text}`, { async: true });
        });
        const chain = middy(handler)
          .use(consumer(from))
          .use(memphisProducer({ station: to, servers: [broker.url] }));
        assert.partialDeepStrictEqual(await chain({}, makeContext()), { acked: 2 });
        const messages = await memphis.fetchMessages(to, { group: 'g', batchMaxWaitMs: 0 });
        assert.deepEqual(messages.map((message) => message.text()).sort(), ['seen a', 'seen b']);
      });
    }
  });
}

describe('Middy in the runtime client, frozen between invocations', () => {
  const start = async (handler: string) => {
    const broker = await startBroker({ binary: await ensureNatsServer() });
    const memphis = await connect({ servers: [broker.url] });
    for (const name of ['orders', 'invoices']) await memphis.createStation(name, { storageType: 'memory' });
    const running = await startFunction({ handler, env: { MEMPHIS_SERVERS: broker.url } });
    const read = async (station: string, group: string): Promise<readonly string[]> => {
      const messages = await memphis.fetchMessages(station, { group, batchMaxWaitMs: 0 });
      return messages.map((message) => message.text());
    };
    return {
      memphis,
      read,
      invoke: async () => {
        const { payload, error } = await running.invoke({});
        assert.equal(error, undefined);
        return payload;
      },
      [Symbol.asyncDispose]: async () => {
        await running[Symbol.asyncDispose]();
        await memphis.close();
        await broker.stop();
      },
    };
  };

  test('the snippet of README.md bills what is there at each invocation', async () => {
    await using scene = await start('test/docs/snippets/middy.handler');
    for (const id of ['a-1', 'a-2']) {
      await scene.memphis.produce('orders', { id });
      assert.partialDeepStrictEqual(await scene.invoke(), { station: 'orders', received: 1, acked: 1 });
    }
    assert.deepEqual(await scene.read('orders', 'billing'), []);
    assert.deepEqual(await scene.read('invoices', 'test'), [
      '{"order":"a-1","amount":7}',
      '{"order":"a-2","amount":7}',
    ]);
  });

  test('what was not waited for is stored when the function is frozen', async () => {
    await using scene = await start('test/support/functions/middy.usual');
    for (const id of ['a', 'b', 'c']) {
      await scene.memphis.produce('orders', id);
      assert.partialDeepStrictEqual(await scene.invoke(), { acked: 1 });
    }
    assert.deepEqual(await scene.read('invoices', 'test'), ['seen a', 'seen b', 'seen c']);
  });

  test('an early answer in place of the handler leaves the messages to others at once', async () => {
    await using scene = await start('test/support/functions/middy.earlyBefore');
    await scene.memphis.produce('orders', 'a');
    for (let i = 0; i < 3; i++) assert.equal(await scene.invoke(), 'early');
    assert.deepEqual(await scene.read('orders', 'billing'), ['a']);
  });

  test('an early answer behind the handler leaves nothing unsettled and nothing unstored', async () => {
    await using scene = await start('test/support/functions/middy.earlyAfter');
    for (const id of ['a', 'b']) {
      await scene.memphis.produce('orders', id);
      assert.equal(await scene.invoke(), 'early');
    }
    assert.deepEqual(await scene.read('orders', 'billing'), []);
    assert.deepEqual(await scene.read('invoices', 'test'), ['seen a', 'seen b']);
  });
});
