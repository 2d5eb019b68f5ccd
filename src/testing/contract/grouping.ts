/** Promises about where a group begins, and about the order in which it is handed messages. */

import assert from 'node:assert/strict';
import type { StartPosition } from '../../model/source.ts';
import { type ContractCase, onStation, refuses, type Scene, SHORT_MS } from './subject.ts';

/** What a group that begins somewhere is handed of messages 1 to 4 in each of two partitions, and of a fifth one later. */
const begins = (start: StartPosition, expected: readonly string[]) => async (scene: Scene) => {
  const both = async (text: string): Promise<void> => {
    for (const partition of [1, 2]) await scene.publish(text, { partition });
  };
  for (const text of ['1', '2', '3', '4']) await both(text);
  const reader = scene.reader({ start });
  const before = expected.filter((text) => text !== '5');
  const taken = [...(await scene.take(reader, before.length * 2))];
  await scene.isEmpty(reader);
  await both('5');
  taken.push(...(await scene.take(reader, 2)));
  for (const partition of [1, 2]) {
    const texts = taken.filter(({ message }) => message.partition === partition).map(({ text }) => text);
    assert.deepEqual(texts, expected);
  }
  assert.ok(taken.every(({ message }) => message.deliveryCount === 1));
};

export const grouping: readonly ContractCase[] = [
  onStation('a group may begin at a sequence, in each partition', begins({ sequence: 3 }, ['3', '4', '5']), {
    partitionsNumber: 2,
  }),
  onStation('a group may begin with the last messages of each partition', begins({ lastMessages: 1 }, ['4', '5']), {
    partitionsNumber: 2,
  }),
  onStation('a group may begin with what comes from now on', begins({ lastMessages: 0 }, ['5']), {
    partitionsNumber: 2,
  }),

  onStation('a group may begin at a sequence that is not there yet', async (scene) => {
    await scene.publish('1');
    const reader = scene.reader({ start: { sequence: 3 } });
    await scene.isEmpty(reader);
    await scene.publishAll('2', '3');
    assert.equal((await scene.takeOne(reader)).text, '3');
    await scene.isEmpty(reader);
  }),

  onStation('a group that began elsewhere is refused, and stands where it stood', async (scene) => {
    await scene.publishAll('1', '2', '3');
    await (await scene.takeOne(scene.reader({ start: { sequence: 2 } }))).ack();
    await refuses('GROUP_CONFLICT', scene.pull(scene.reader({ start: { sequence: 1 } })));
    await refuses('GROUP_CONFLICT', scene.pull(scene.reader({ start: { lastMessages: 1 } })));
    assert.equal((await scene.takeOne(scene.reader())).text, '3'); // who does not say where is welcome
    await scene.isEmpty(scene.reader({ start: { sequence: 2 } }));
  }),

  onStation('a destroyed group may begin elsewhere', async (scene) => {
    await scene.publishAll('1', '2', '3');
    await scene.take(scene.reader(), 3);
    await scene.destroyGroup();
    assert.equal((await scene.takeOne(scene.reader({ start: { sequence: 3 } }))).text, '3');
  }),

  onStation('in order, the next message waits until the one before is settled, also after a delay', async (scene) => {
    await scene.publishAll('1', '2');
    const reader = scene.reader({ ordered: true, maxDeliveries: 5 });
    const first = await scene.takeOne(reader);
    assert.equal(first.text, '1');
    await scene.isEmpty(reader);
    await first.settle({ action: 'retry', delayMs: 2_000 });
    await scene.isEmpty(reader);
    const again = await scene.takeOne(reader);
    assert.deepEqual([again.text, again.message.deliveryCount], ['1', 2]);
    await again.settle({ action: 'deadLetter', reason: 'test' });
    assert.equal((await scene.takeOne(reader)).text, '2');
  }),

  onStation('in order, what its holder lost comes before what stands behind it', async (scene) => {
    await scene.publishAll('1', '2');
    const options = { ordered: true, ackWaitMs: SHORT_MS };
    await scene.takeOne(scene.reader(options));
    await scene.crash();
    await scene.subject.pass(SHORT_MS);
    const again = await scene.takeOne(scene.reader(options));
    assert.deepEqual([again.text, again.message.deliveryCount], ['1', 2]);
    await again.ack();
    assert.equal((await scene.takeOne(scene.reader(options))).text, '2');
  }),

  onStation(
    'in order, partitions do not wait for each other',
    async (scene) => {
      for (const partition of [1, 2]) {
        for (const text of ['1', '2']) await scene.publish(text, { partition });
      }
      const taken = await scene.take(scene.reader({ ordered: true }), 2);
      assert.deepEqual(taken.map(({ text, message }) => [message.partition, text]).sort(), [
        [1, '1'],
        [2, '1'],
      ]);
    },
    { partitionsNumber: 2 },
  ),
];
