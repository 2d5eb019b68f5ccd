/** Consumers on real servers: in the background, one by one, where a group begins, order, and what may change. */

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Client, type Consumer, connect, isMemphisError, type Message } from '../../src/index.ts';
import { type RunningBroker, startBroker } from '../../src/testing/start-broker.ts';
import { hasCode } from '../support/has-code.ts';
import { serversUnderTest } from '../support/servers.ts';

/** Resolves when something holds; fails after 10 s. */
async function until(holds: () => boolean): Promise<void> {
  for (const deadline = Date.now() + 10_000; !holds() && Date.now() < deadline; ) await sleep(10);
  assert.ok(holds(), 'not within 10 s');
}

const texts = (messages: readonly Message[]): string[] => messages.map((message) => message.text());

for (const { binary, version } of serversUnderTest()) {
  describe(`consumers on nats-server ${version}`, () => {
    let broker: RunningBroker;
    let memphis: Client;
    let made = 0;
    const newStation = async (messages: number, options: Record<string, unknown> = {}): Promise<string> => {
      const name = `c.${++made}`;
      await memphis.createStation(name, { storageType: 'memory', ...options });
      for (let n = 1; n <= messages; n++) await memphis.produce(name, String(n));
      return name;
    };
    before(async () => {
      broker = await startBroker({ binary });
      memphis = await connect({ servers: [broker.url] });
    });
    after(async () => {
      await memphis.close();
      await broker.stop();
    });

    test('consume hands batch after batch over, with the context, and goes on with what comes later', async () => {
      const name = await newStation(5);
      const consumer = await memphis.createConsumer(name, { group: 'g', batchSize: 2 });
      const sizes: number[] = [];
      const seen: string[] = [];
      consumer.consume(
        async (messages, context) => {
          assert.deepEqual(context, { a: 1 });
          sizes.push(messages.length);
          for (const message of messages) {
            seen.push(message.text());
            await message.ack();
          }
        },
        { context: { a: 1 } },
      );
      await until(() => seen.length === 5);
      assert.deepEqual(sizes, [2, 2, 1]);
      await memphis.produce(name, '6');
      await until(() => seen.length === 6);
      assert.throws(() => consumer.consume(() => {}), hasCode('INVALID_OPTION'));
      await consumer.stop();
      await memphis.produce(name, '7');
      await sleep(300);
      assert.deepEqual(seen, ['1', '2', '3', '4', '5', '6']);
      assert.deepEqual(texts(await consumer.fetch()), ['7']);
    });

    test('what a handler throws goes to onError; its messages come again, and the next batch is handed over', async () => {
      const name = await newStation(1);
      const errors: unknown[] = [];
      const counts: number[] = [];
      const consumer = await memphis.createConsumer(name, {
        group: 'g',
        maxAckTimeMs: 300,
        onError: (error) => errors.push(error),
      });
      consumer.consume(async ([message]) => {
        counts.push(message?.deliveryCount ?? 0);
        if (counts.length === 1) throw new Error('not today');
        await message?.ack();
      });
      await until(() => counts.length === 2);
      await consumer.stop();
      assert.deepEqual(counts, [1, 2]);
      assert.deepEqual(errors.map(String), ['Error: not today']);
    });

    test('without onError, what a handler throws is a warning of the process', async () => {
      const name = await newStation(1);
      const consumer = await memphis.createConsumer(name, { group: 'g' });
      const warned = new Promise<Error>((resolve) => process.once('warning', resolve));
      consumer.consume(() => {
        throw new Error('nobody listens');
      });
      assert.equal((await warned).message, 'nobody listens');
      await consumer.stop();
    });

    test('the time to settle is extended while a handler works, and stop waits for it', async () => {
      const name = await newStation(1);
      const consumer = await memphis.createConsumer(name, { group: 'g', maxAckTimeMs: 300 });
      let handed = 0;
      let isDone = false;
      consumer.consume(async ([message]) => {
        handed++;
        await sleep(1_000);
        await message?.ack();
        isDone = true;
      });
      await until(() => handed === 1);
      await consumer.stop();
      assert.ok(isDone);
      assert.equal(handed, 1);
    });

    test('a station that goes and comes back is told to onError and read on', async () => {
      const name = await newStation(1);
      const seen: string[] = [];
      const errors: unknown[] = [];
      const consumer = await memphis.createConsumer(name, {
        group: 'g',
        batchMaxWaitMs: 300,
        pullIntervalMs: 50,
        onError: (error) => errors.push(error),
      });
      consumer.consume(async (messages) => {
        for (const message of messages) {
          seen.push(message.text());
          await message.ack();
        }
      });
      await until(() => seen.length === 1);
      await memphis.station(name).destroy();
      await until(() => errors.some((error) => isMemphisError(error, 'STATION_NOT_FOUND')));
      await memphis.createStation(name, { storageType: 'memory' });
      await memphis.produce(name, 'again');
      await until(() => seen.length === 2);
      await consumer.stop();
      assert.deepEqual(seen, ['1', 'again']);
    });

    test('for await hands out one by one; what was fetched and not handed out is given back at break', async () => {
      const name = await newStation(4);
      const consumer = await memphis.createConsumer<number>(name, { group: 'g' });
      for await (const message of consumer) {
        await message.ack();
        const value: number = message.value();
        if (value === 2) break;
      }
      assert.deepEqual(texts(await consumer.fetch({ batchMaxWaitMs: 2_000 })), ['3', '4']);
    });

    test('for await ends at stop', async () => {
      const name = await newStation(1);
      const consumer = await memphis.createConsumer(name, { group: 'g' });
      const seen: string[] = [];
      const reading = (async () => {
        for await (const message of consumer) {
          seen.push(message.text());
          await message.ack();
        }
      })();
      await until(() => seen.length === 1);
      await consumer.stop();
      await reading;
    });

    test('stop may be awaited by the handler, and in the body of the loop', async () => {
      const name = await newStation(4);
      const consumer = await memphis.createConsumer(name, { group: 'g', batchSize: 1 });
      const seen: string[] = [];
      const handled = new Promise<void>((resolve) => {
        consumer.consume(async ([message]) => {
          seen.push(message?.text() ?? '');
          await message?.ack();
          await consumer.stop();
          resolve();
        });
      });
      await handled;
      await consumer.stop();
      const other = await memphis.createConsumer(name, { group: 'g' });
      for await (const message of other) {
        seen.push(message.text());
        await message.ack();
        await other.stop();
      }
      assert.deepEqual(seen, ['1', '2']);
      other[Symbol.asyncIterator](); // never asked for anything
      await other.stop();
      assert.deepEqual(texts(await other.fetch({ batchMaxWaitMs: 2_000 })), ['3', '4']);
    });

    test('closing the client stops its consumers and leaves their groups', async () => {
      const name = await newStation(2);
      const other = await connect({ servers: [broker.url] });
      const consumer = await other.createConsumer(name, { group: 'g', batchSize: 1 });
      const seen: string[] = [];
      consumer.consume(async ([message]) => {
        seen.push(message?.text() ?? '');
        await message?.ack();
      });
      await until(() => seen.length === 2);
      await other.close();
      await memphis.produce(name, '3');
      assert.deepEqual(texts(await memphis.fetchMessages(name, { group: 'g' })), ['3']);
    });

    test('a new group begins at a sequence, at the last so many of each partition, or with what comes next', async () => {
      const name = await newStation(10, { partitionsNumber: 2 }); // 1, 3, 5, .. and 2, 4, 6, ..
      const all = async (options: Record<string, unknown>): Promise<string[]> => {
        const messages = await memphis.fetchMessages(name, { batchSize: 100, batchMaxWaitMs: 0, ...options });
        return texts(messages).sort((a, b) => Number(a) - Number(b));
      };
      assert.deepEqual(await all({ group: 'sequence', startConsumeFromSequence: 4 }), ['7', '8', '9', '10']);
      assert.deepEqual(await all({ group: 'last', lastMessages: 2 }), ['7', '8', '9', '10']);
      assert.deepEqual(await all({ group: 'more', lastMessages: 500 }), [
        '1',
        '2',
        '3',
        '4',
        '5',
        '6',
        '7',
        '8',
        '9',
        '10',
      ]);
      assert.deepEqual(await all({ group: 'new', lastMessages: 0 }), []);
      await memphis.produce(name, '11');
      assert.deepEqual(await all({ group: 'new', lastMessages: 0 }), ['11']);
      // a group that exists goes on where it stands; beginning elsewhere is refused, not ignored
      assert.deepEqual(await all({ group: 'last', lastMessages: 2 }), ['11']);
      await assert.rejects(all({ group: 'last', lastMessages: 3 }), hasCode('GROUP_CONFLICT'));
      await assert.rejects(all({ group: 'sequence', startConsumeFromSequence: 5 }), hasCode('GROUP_CONFLICT'));
      await assert.rejects(
        all({ group: 'x', lastMessages: 3, startConsumeFromSequence: 5 }),
        hasCode('INVALID_OPTION'),
      );
    });

    test('a changed ack time holds from the next consumer on, for the group; its position and start stay', async () => {
      const name = await newStation(3);
      const first = await memphis.createConsumer(name, { group: 'g', startConsumeFromSequence: 2, batchSize: 1 });
      const [message] = await first.fetch();
      assert.equal(message?.text(), '2');
      await message?.ack();
      const second = await memphis.createConsumer(name, { group: 'g', startConsumeFromSequence: 2, maxAckTimeMs: 300 });
      assert.deepEqual(texts(await second.fetch()), ['3']);
      const startedAt = Date.now();
      const [again] = await second.fetch({ batchMaxWaitMs: 5_000 });
      assert.equal(again?.deliveryCount, 2);
      assert.ok(Date.now() - startedAt < 4_000);
    });

    test('an ordered group hands out one message a partition, and a retry is not overtaken', async () => {
      const name = await newStation(8, { partitionsNumber: 2 });
      const consumer = await memphis.createConsumer(name, { group: 'g', ordered: true });
      const seen = new Map<number, string[]>([
        [1, []],
        [2, []],
      ]);
      let failed = 0;
      consumer.consume(async (messages) => {
        assert.ok(messages.length <= 2);
        for (const message of messages) {
          if (message.text() === '3' && failed++ < 2) await message.delay(200);
          else {
            seen.get(message.partition)?.push(message.text());
            await message.ack();
          }
        }
      });
      await until(() => [...seen.values()].flat().length === 8);
      await consumer.stop();
      assert.deepEqual(
        [...seen.values()],
        [
          ['1', '3', '5', '7'],
          ['2', '4', '6', '8'],
        ],
      );
    });

    test('empty partitions of an ordered group do not hold up the one that has something', async () => {
      const name = await newStation(0, { partitionsNumber: 40 });
      const consumer = await memphis.createConsumer(name, { group: 'g', ordered: true, batchSize: 1 });
      assert.deepEqual(await consumer.fetch({ batchMaxWaitMs: 0 }), []);
      await memphis.produce(name, 'x', { partition: 33 });
      const startedAt = performance.now();
      const [message] = await consumer.fetch({ batchMaxWaitMs: 0 });
      assert.equal(message?.text(), 'x');
      await message.nack();
      assert.equal((await consumer.fetch({ batchMaxWaitMs: 0 }))[0]?.deliveryCount, 2, 'redeliveries are met too');
      const tookMs = performance.now() - startedAt; // asked one after the other, 4 s each
      assert.ok(tookMs < 2_500, `took ${tookMs} ms`);
    });

    test('a consumer without a group is its own; a unique suffix makes it unlike any other', async () => {
      const name = await newStation(1);
      const consumers: Consumer[] = [];
      for (let i = 0; i < 2; i++) {
        consumers.push(await memphis.createConsumer(name, { name: 'worker', genUniqueSuffix: true }));
      }
      assert.notEqual(consumers[0]?.group, consumers[1]?.group);
      for (const consumer of consumers) {
        assert.match(consumer.group, /^worker_/);
        assert.deepEqual(texts(await consumer.fetch()), ['1']);
        await consumer.destroy();
      }
      assert.equal((await memphis.createConsumer(name, { name: 'Worker' })).group, 'worker');
      await assert.rejects(memphis.createConsumer(name), hasCode('INVALID_OPTION'));
    });

    test('a fetch that waits when its consumer is destroyed ends, and does not make the group anew', async () => {
      const name = await newStation(0);
      const consumer = await memphis.createConsumer(name, { group: 'g', batchMaxWaitMs: 20_000 });
      const waiting = consumer.fetch();
      await sleep(300);
      await consumer.destroy();
      assert.deepEqual(await waiting, []);
      assert.deepEqual((await memphis.describeStation(name)).groups, []);
    });

    test('a station that others have made anew with more partitions is read in all of them', async () => {
      const name = await newStation(0);
      const consumer = await memphis.createConsumer(name, { group: 'g' });
      await consumer.fetch({ batchMaxWaitMs: 0 });
      const other = await connect({ servers: [broker.url] });
      await other.destroyStation(name);
      await other.createStation(name, { partitionsNumber: 3, storageType: 'memory' });
      for (const partition of [1, 2, 3]) await other.produce(name, String(partition), { partition });
      await other.close();
      const seen: string[] = [];
      for (let n = 0; n < 4 && seen.length < 3; n++) {
        for (const message of await consumer.fetch({ batchMaxWaitMs: 500 })) {
          seen.push(message.text());
          await message.ack();
        }
      }
      assert.deepEqual(seen.sort(), ['1', '2', '3']);
    });

    test('a destroyed consumer refuses work and takes its group along', async () => {
      const name = await newStation(1);
      const consumer = await memphis.createConsumer(name, { group: 'g' });
      for (const message of await consumer.fetch()) await message.ack();
      await consumer.destroy();
      await assert.rejects(consumer.fetch(), hasCode('CLOSED'));
      assert.throws(() => consumer.consume(() => {}), hasCode('CLOSED'));
      assert.deepEqual(texts(await memphis.fetchMessages(name, { group: 'g' })), ['1']);
    });
  });
}
