/** Promises about what a pull returns, and what it leaves behind. */

import assert from 'node:assert/strict';
import { type ContractCase, onStation, textsOf } from './subject.ts';

const numbers = (count: number): string[] => Array.from({ length: count }, (_, index) => String(index + 1));

export const pulling: readonly ContractCase[] = [
  onStation('each group is handed every message, in order, as its first delivery', async (scene) => {
    await scene.publishAll(...numbers(5));
    for (const group of ['billing', 'audit']) {
      const taken = await scene.take(scene.reader({ group }), 5);
      assert.deepEqual(
        taken.map(({ text, message }) => [text, message.sequence, message.deliveryCount, message.station]),
        numbers(5).map((text) => [text, Number(text), 1, scene.station]),
      );
    }
  }),

  onStation('readers of one group share its messages', async (scene) => {
    await scene.publishAll(...numbers(20));
    const readers = [scene.reader(), scene.reader({ maxDeliveries: 4 }), scene.reader()];
    const batches = await Promise.all(readers.map((reader) => scene.pull(reader, { batchSize: 5 })));
    const seen = batches.flatMap(({ messages }) => messages);
    const rest = await scene.take(scene.reader(), 20 - seen.length);
    const all = [...seen, ...rest.map(({ message }) => message)];
    assert.deepEqual(
      textsOf(all)
        .map(Number)
        .sort((a, b) => a - b),
      numbers(20).map(Number),
    );
    assert.ok(all.every(({ deliveryCount }) => deliveryCount === 1));
    await scene.isEmpty(scene.reader());
  }),

  onStation(
    'a batch comes from all partitions together, or from the one that was asked for, and never holds too many',
    async (scene) => {
      for (const partition of [1, 2, 3]) {
        for (const text of ['a', 'b', 'c', 'd']) await scene.publish(text, { partition });
      }
      const reader = scene.reader();
      const second = await scene.pull(reader, { partition: 2, batchSize: 3 });
      assert.deepEqual(textsOf(second.messages), ['a', 'b', 'c']);
      assert.ok(second.messages.every(({ partition }) => partition === 2));
      const some = await scene.pull(reader, { batchSize: 4 });
      assert.equal(some.messages.length, 4);
      const rest = await scene.take(reader, 5);
      const byPartition = (wanted: number) =>
        [...some.messages, ...rest.map(({ message }) => message)].filter(({ partition }) => partition === wanted);
      assert.deepEqual(textsOf(byPartition(1)), ['a', 'b', 'c', 'd']);
      assert.deepEqual(textsOf(byPartition(2)), ['d']);
      assert.deepEqual(textsOf(byPartition(3)), ['a', 'b', 'c', 'd']);
    },
    { partitionsNumber: 3 },
  ),

  onStation(
    'one message at a time, no partition is passed over',
    async (scene) => {
      for (const partition of [1, 1, 1, 1, 2, 3]) await scene.publish('x', { partition });
      const reader = scene.reader();
      const seen = new Set<number>();
      for (let pulls = 0; pulls < 6; pulls++) seen.add((await scene.takeOne(reader)).message.partition);
      assert.deepEqual([...seen].sort(), [1, 2, 3]);
      await scene.isEmpty(reader);
    },
    { partitionsNumber: 3 },
  ),

  onStation('a large batch comes whole and in order', async (scene) => {
    const count = 600;
    await Promise.all(numbers(count).map((text) => scene.publish(text)));
    const taken = await scene.take(scene.reader(), count);
    assert.deepEqual(
      taken.map(({ message }) => message.sequence),
      numbers(count).map(Number),
    );
    await Promise.all(taken.map((one) => one.ack()));
    await scene.isEmpty(scene.reader());
  }),

  onStation('an empty pull ends with its wait, at once without one', async (scene) => {
    const reader = scene.reader();
    await scene.isEmpty(reader);
    const batch = await scene.pull(reader, { waitMs: 300 });
    assert.deepEqual([batch.messages.length, batch.station, batch.group], [0, scene.station, 'billing']);
  }),

  onStation('a waiting pull returns with the first message, long before its wait is over', async (scene) => {
    const reader = scene.reader();
    await scene.isEmpty(reader);
    const waiting = reader.pull({ batchSize: 10, waitMs: 60_000 });
    await scene.subject.pass(100);
    await scene.publish('a');
    assert.deepEqual(textsOf((await waiting).messages), ['a']);
  }),

  onStation('a signal ends the wait, also one that was given before', async (scene) => {
    const reader = scene.reader();
    const stop = new AbortController();
    const waiting = reader.pull({ batchSize: 10, waitMs: 60_000, signal: stop.signal });
    await scene.subject.pass(100);
    stop.abort();
    assert.equal((await waiting).messages.length, 0);
    const late = await reader.pull({ batchSize: 10, waitMs: 60_000, signal: stop.signal });
    assert.equal(late.messages.length, 0);
  }),

  onStation(
    'nothing stays open behind a pull: what comes later is the next one’s, as its first delivery',
    async (scene) => {
      const reader = scene.reader();
      const stop = new AbortController();
      await scene.pull(reader, { waitMs: 200 }); // ended with its wait
      const aborted = reader.pull({ batchSize: 10, waitMs: 60_000, signal: stop.signal });
      await scene.subject.pass(100);
      stop.abort();
      await aborted;
      await scene.publish('a');
      assert.equal((await scene.takeOne(scene.reader({ maxDeliveries: 9 }))).message.deliveryCount, 1);
      const filled = reader.pull({ batchSize: 10, waitMs: 60_000 }); // ended with its first message
      await scene.subject.pass(100);
      await scene.publish('b');
      assert.deepEqual(textsOf((await filled).messages), ['b']);
      await scene.publish('c');
      const { message, text } = await scene.takeOne(scene.reader({ maxDeliveries: 9 }));
      assert.deepEqual([text, message.deliveryCount], ['c', 1]);
    },
  ),

  onStation('a batch says what its messages are worth', async (scene) => {
    await scene.publish('a');
    const batch = await scene.pull(scene.reader({ maxDeliveries: 7, ackWaitMs: 20_000 }), { waitMs: 2_000 });
    assert.deepEqual(
      [batch.station, batch.group, batch.maxDeliveries, batch.ackWaitMs],
      [scene.station, 'billing', 7, 20_000],
    );
  }),

  onStation('a group that was destroyed begins anew', async (scene) => {
    await scene.publishAll('a', 'b');
    const reader = scene.reader();
    for (const taken of await scene.take(reader, 2)) await taken.ack();
    await scene.destroyGroup();
    const again = await scene.take(reader, 2);
    assert.deepEqual(
      again.map(({ text, message }) => [text, message.deliveryCount]),
      [
        ['a', 1],
        ['b', 1],
      ],
    );
  }),
];
