/** Promises about what becomes of a message that was handed out. */

import assert from 'node:assert/strict';
import type { Settled } from '../../model/outcome.ts';
import { type ContractCase, onStation, refuses, SHORT_MS, textOf, textsOf } from './subject.ts';

export const settling: readonly ContractCase[] = [
  onStation('what is acked never comes again', async (scene) => {
    await scene.publish('a');
    const reader = scene.reader({ ackWaitMs: SHORT_MS });
    assert.equal(await (await scene.takeOne(reader)).ack(), 'acked');
    await scene.subject.pass(SHORT_MS * 2);
    await scene.isEmpty(reader);
    assert.deepEqual(await scene.deadLetters(), []);
  }),

  onStation('what is not settled in time comes again, under the same id, and counts', async (scene) => {
    await scene.publish('a');
    const reader = scene.reader({ ackWaitMs: SHORT_MS });
    const first = await scene.takeOne(reader);
    await scene.isEmpty(reader);
    await scene.subject.pass(SHORT_MS);
    const second = await scene.takeOne(reader);
    assert.deepEqual(second.message, { ...first.message, deliveryCount: 2 });
    assert.equal(await second.ack(), 'acked');
  }),

  onStation('the time to settle starts anew when it is extended', async (scene) => {
    await scene.publish('a');
    const reader = scene.reader({ ackWaitMs: 3_000 });
    const taken = await scene.takeOne(reader);
    await scene.subject.pass(2_000);
    await taken.extend();
    await scene.subject.pass(2_000);
    await scene.isEmpty(reader);
    assert.equal((await scene.takeOne(reader)).message.deliveryCount, 2);
  }),

  onStation('the time to settle of a group can be changed by its next reader', async (scene) => {
    await scene.publish('a');
    await scene.takeOne(scene.reader());
    await scene.pull(scene.reader({ ackWaitMs: SHORT_MS }));
    await scene.subject.pass(SHORT_MS);
    assert.equal((await scene.takeOne(scene.reader({ ackWaitMs: SHORT_MS }))).text, 'a');
  }),

  onStation('a retry comes after its delay and not before', async (scene) => {
    await scene.publish('a');
    const reader = scene.reader();
    const taken = await scene.takeOne(reader);
    assert.equal(await taken.settle({ action: 'retry', delayMs: 3_000 }), 'retried');
    await scene.isEmpty(reader);
    const again = await scene.takeOne(reader);
    assert.deepEqual([again.text, again.message.deliveryCount], ['a', 2]);
    assert.equal(await again.settle({ action: 'retry', delayMs: 0, reason: 'try at once' }), 'retried');
    const last = await scene.takeOne(reader);
    assert.equal(last.message.deliveryCount, 3);
    await last.ack();
  }),

  onStation(
    'a delay longer than several times to settle is kept, blocks no fresh message and keeps the id',
    async (scene) => {
      await scene.publish('late', { headers: { a: 'b' }, partitionKey: 'k' });
      const reader = scene.reader({ ackWaitMs: 300 });
      const taken = await scene.takeOne(reader);
      assert.equal(await taken.settle({ action: 'retry', delayMs: 6_000 }), 'retried');
      await scene.publish('fresh');
      const fresh = await scene.takeOne(reader);
      assert.equal(fresh.text, 'fresh');
      await fresh.ack();
      await scene.subject.pass(1_000);
      await scene.isEmpty(reader);
      const again = await scene.takeOne(reader);
      assert.deepEqual(again.message, { ...taken.message, deliveryCount: 2 });
      assert.equal(await again.ack(), 'acked');
      await scene.subject.pass(600);
      await scene.isEmpty(reader);
    },
  ),

  onStation('a retry on the last delivery is a dead letter, with its reason', async (scene) => {
    await scene.publish('a', { headers: { kept: 'yes' } });
    const reader = scene.reader({ maxDeliveries: 2 });
    const outcome = { action: 'retry', delayMs: 0, reason: 'the bank is busy' } as const;
    assert.equal(await (await scene.takeOne(reader)).settle(outcome), 'retried');
    assert.equal(await (await scene.takeOne(reader)).settle(outcome), 'deadLettered');
    await scene.isEmpty(reader);
    const [letter, ...more] = await scene.deadLetters();
    assert.equal(more.length, 0);
    assert.deepEqual([letter?.group, letter?.headers, letter?.deliveryCount], ['billing', { kept: 'yes' }, 2]);
    assert.match(letter?.reason ?? '', /the bank is busy/);
  }),

  onStation('a dead letter is set aside for its group alone', async (scene) => {
    await scene.publishAll('a', 'b');
    const [first, second] = await scene.take(scene.reader(), 2);
    assert.equal(await first?.settle({ action: 'deadLetter', reason: 'unknown customer' }), 'deadLettered');
    assert.equal(await second?.ack(), 'acked');
    assert.deepEqual(
      (await scene.deadLetters()).map((letter) => [textOf(letter), letter.reason, letter.deliveryCount]),
      [['a', 'unknown customer', 1]],
    );
    await scene.take(scene.reader({ group: 'audit' }), 2);
    await scene.isEmpty(scene.reader());
  }),

  onStation(
    'a station that keeps no dead letters drops them',
    async (scene) => {
      await scene.publish('a');
      const taken = await scene.takeOne(scene.reader({ maxDeliveries: 1 }));
      assert.equal(await taken.settle({ action: 'retry', delayMs: 0 }), 'deadLettered');
      assert.deepEqual(await scene.deadLetters(), []);
      await scene.isEmpty(scene.reader({ maxDeliveries: 1 }));
    },
    { sendPoisonMsgToDls: false },
  ),

  onStation(
    'deliveries that run out without a word end in the dead letters, and no handler sees one more',
    async (scene) => {
      await scene.publish('a');
      const options = { ackWaitMs: SHORT_MS, maxDeliveries: 2 };
      for (const count of [1, 2]) {
        assert.equal((await scene.takeOne(scene.reader(options))).message.deliveryCount, count);
        await scene.crash();
        await scene.subject.pass(SHORT_MS);
      }
      const reader = scene.reader(options);
      for (let looks = 0; looks < 20 && (await scene.deadLetters()).length === 0; looks++) {
        assert.deepEqual((await scene.pull(reader, { waitMs: 250 })).messages, []);
      }
      assert.deepEqual(
        (await scene.deadLetters()).map((letter) => [textOf(letter), letter.deliveryCount]),
        [['a', 2]],
      );
    },
  ),

  onStation('what is given back comes again at once, or after its delay, and is never used up', async (scene) => {
    await scene.publish('a');
    const reader = scene.reader({ maxDeliveries: 2 });
    for (let times = 1; times <= 4; times++) {
      const taken = await scene.takeOne(reader);
      assert.ok(taken.message.deliveryCount <= 2, `delivery ${taken.message.deliveryCount}`);
      assert.equal(await taken.settle({ action: 'giveBack' }), 'givenBack');
    }
    assert.equal(await (await scene.takeOne(reader)).settle({ action: 'giveBack', delayMs: 1_500 }), 'givenBack');
    await scene.isEmpty(reader);
    assert.equal(await (await scene.takeOne(reader)).ack(), 'acked');
    assert.deepEqual(await scene.deadLetters(), []);
  }),

  onStation('messages of one batch can each meet another end', async (scene) => {
    await scene.publishAll('ack', 'retry', 'dead', 'back');
    const taken = await scene.take(scene.reader(), 4);
    const [one, two, three, four] = taken;
    assert.deepEqual(
      await Promise.all([
        one?.ack(),
        two?.settle({ action: 'retry', delayMs: 0 }),
        three?.settle({ action: 'deadLetter', reason: 'test' }),
        four?.settle({ action: 'giveBack' }),
      ]),
      ['acked', 'retried', 'deadLettered', 'givenBack'] satisfies Settled[],
    );
    const again = await scene.take(scene.reader(), 2);
    assert.deepEqual(again.map(({ text }) => text).sort(), ['back', 'retry']);
    assert.deepEqual(textsOf(await scene.deadLetters()), ['dead']);
  }),

  onStation('a message of another batch cannot be settled', async (scene) => {
    await scene.publish('a');
    const taken = await scene.takeOne(scene.reader());
    await refuses('INVALID_MESSAGE', taken.batch.settle({ ...taken.message }, { action: 'ack' }));
    assert.equal(await taken.ack(), 'acked');
  }),

  onStation('what is said about a message a second time is refused, and the first decision holds', async (scene) => {
    await scene.publish('a');
    const taken = await scene.takeOne(scene.reader());
    const settled = taken.ack();
    await refuses('INVALID_MESSAGE', taken.settle({ action: 'retry', delayMs: 0 }));
    assert.equal(await settled, 'acked');
    await refuses('INVALID_MESSAGE', taken.settle({ action: 'retry', delayMs: 0 }));
    await scene.isEmpty(scene.reader());
  }),

  onStation('what a killed reader held comes back to the next one', async (scene) => {
    await scene.publishAll('a', 'b', 'c');
    const [first] = await scene.take(scene.reader({ ackWaitMs: SHORT_MS }), 3);
    await first?.ack();
    await scene.crash();
    await scene.subject.pass(SHORT_MS);
    const again = await scene.take(scene.reader({ ackWaitMs: SHORT_MS }), 2);
    assert.deepEqual(
      again.map(({ text, message }) => [text, message.deliveryCount]),
      [
        ['b', 2],
        ['c', 2],
      ],
    );
  }),

  onStation(
    'many readers at the same time settle each message once',
    async (scene) => {
      const count = 120;
      await Promise.all(
        Array.from({ length: count }, (_, index) => scene.publish(String(index), { partition: (index % 3) + 1 })),
      );
      const acked: string[] = [];
      const work = async (): Promise<void> => {
        for (let idle = 0; idle < 2; ) {
          const batch = await scene.pull(scene.reader(), { batchSize: 7 });
          idle = batch.messages.length === 0 ? idle + 1 : 0;
          await Promise.all(
            batch.messages.map(async (message) => {
              // every third fails once
              const fails = message.sequence % 3 === 0 && message.deliveryCount === 1;
              const settled = await batch.settle(message, fails ? { action: 'retry', delayMs: 0 } : { action: 'ack' });
              if (settled === 'acked') acked.push(message.id);
            }),
          );
        }
      };
      await Promise.all([work(), work(), work(), work()]);
      await work();
      assert.equal(acked.length, count);
      assert.equal(new Set(acked).size, count);
    },
    { partitionsNumber: 3 },
  ),
];
