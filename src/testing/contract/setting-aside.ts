/** Promises about dead letters: what is known of each, dropping them, and putting them back. */

import assert from 'node:assert/strict';
import { type ContractCase, onStation, refuses, type Scene, textOf, textsOf } from './subject.ts';

const nobody = (): void => {};

/** Sets messages aside for a group, with their text as the reason. */
async function setAside(scene: Scene, group: string, texts: readonly string[]): Promise<void> {
  for (const taken of await scene.take(scene.reader({ group }), texts.length)) {
    if (texts.includes(taken.text)) await taken.settle({ action: 'deadLetter', reason: `no ${taken.text}` });
  }
}

export const settingAside: readonly ContractCase[] = [
  onStation(
    'a dead letter tells of its message all there is to know',
    async (scene) => {
      await scene.publish('x');
      const data = Uint8Array.of(0, 255, 10);
      await scene.publish('', { partition: 2, data, headers: { a: 'b' }, partitionKey: 'k/ü', msgId: 'm-1' });
      const taken = await scene.take(scene.reader(), 2);
      const second = taken.find(({ message }) => message.partition === 2);
      await second?.settle({ action: 'deadLetter', reason: 'first line\nsecond' });
      const [letter, ...more] = await scene.deadLetters();
      assert.equal(more.length, 0);
      const { id, messageId, setAsideAt, ...rest } = letter ?? assert.fail('no dead letter');
      const { id: _, ...message } = second?.message ?? assert.fail('no message');
      assert.equal(messageId, second?.message.id);
      assert.deepEqual(
        { ...rest, data: [...rest.data], reason: '' },
        { ...message, data: [...data], group: 'billing', reason: '' },
      );
      assert.match(rest.reason, /^first line\s+second$/);
      assert.ok(id > 0 && Math.abs(setAsideAt.getTime() - message.timestamp.getTime()) < 60_000);
      const same = await scene.letters.get(id);
      assert.deepEqual({ ...same, data: [...same.data] }, { ...letter, data: [...data] });
    },
    { partitionsNumber: 2 },
  ),

  onStation('dead letters are listed in pages, those of a group oldest first, and counted', async (scene) => {
    await scene.publishAll('1', '2', '3');
    await setAside(scene, 'billing', ['1', '2', '3']);
    await setAside(scene, 'audit', ['1', '2', '3']);
    const { letters } = scene;
    const all = await scene.deadLetters();
    assert.deepEqual(all.map((letter) => `${letter.group} ${textOf(letter)}`).sort(), [
      'audit 1',
      'audit 2',
      'audit 3',
      'billing 1',
      'billing 2',
      'billing 3',
    ]);
    assert.deepEqual(
      all.map(({ id }) => id),
      all.map(({ id }) => id).sort((a, b) => a - b),
    );
    const page = await letters.list({ after: 0, limit: 2 });
    const next = await letters.list({ after: page[1]?.id ?? 0, limit: 2 });
    assert.deepEqual(
      [...page, ...next].map(({ id }) => id),
      all.slice(0, 4).map(({ id }) => id),
    );
    const ofAudit = await scene.deadLetters('audit');
    assert.deepEqual(
      ofAudit.map((letter) => [letter.group, textOf(letter)]),
      ['1', '2', '3'].map((text) => ['audit', text]),
    );
    assert.deepEqual([await letters.count(), await letters.count('audit'), await letters.count('nobody')], [6, 3, 0]);
  }),

  onStation('dead letters are dropped one by one, by group, or all', async (scene) => {
    await scene.publishAll('1', '2', '3');
    await setAside(scene, 'billing', ['1', '2', '3']);
    await setAside(scene, 'audit', ['1', '2', '3']);
    const { letters } = scene;
    const [first] = await scene.deadLetters('billing');
    const id = first?.id ?? 0;
    assert.equal(await letters.drop({ ids: [id] }, nobody), 1);
    assert.equal(await letters.drop({ ids: [id] }, nobody), 0);
    await refuses('DEAD_LETTER_NOT_FOUND', letters.get(id));
    assert.equal(await letters.drop({ group: 'audit' }, nobody), 3);
    assert.deepEqual(textsOf(await scene.deadLetters()), ['2', '3']);
    assert.equal(await letters.drop({}, nobody), 2);
    assert.equal(await letters.count(), 0);
  }),

  onStation(
    'put back for its group, a message comes under its old id, as if for the first time, to it alone',
    async (scene) => {
      await scene.publish('1', { headers: { a: 'b' }, partitionKey: 'k' });
      const reader = scene.reader();
      const taken = await scene.takeOne(reader);
      await taken.settle({ action: 'deadLetter', reason: 'test' });
      await (await scene.takeOne(scene.reader({ group: 'audit' }))).ack();
      const [letter] = await scene.deadLetters();
      const ids = [letter?.id ?? 0, 9_999];
      assert.deepEqual(
        (await scene.letters.redrive({ ids }, 'group', nobody)).map(({ id, outcome }) => [id, outcome]),
        [
          [ids[0], 'redriven'],
          [9_999, 'missing'],
        ],
      );
      assert.equal(await scene.letters.count(), 0);
      await scene.isEmpty(scene.reader({ group: 'audit' }));
      const again = await scene.takeOne(reader);
      assert.deepEqual(again.message, taken.message);
      await again.ack();
      await scene.isEmpty(reader);
    },
  ),

  onStation('what is put back and fails again is a dead letter again', async (scene) => {
    await scene.publish('1');
    const reader = scene.reader({ maxDeliveries: 2 });
    await (await scene.takeOne(reader)).settle({ action: 'deadLetter', reason: 'first' });
    await scene.letters.redrive({}, 'group', nobody);
    const again = await scene.takeOne(reader);
    assert.equal(await again.settle({ action: 'retry', delayMs: 0 }), 'retried');
    const last = await scene.takeOne(reader);
    assert.equal(last.message.deliveryCount, 2);
    assert.equal(await last.settle({ action: 'retry', delayMs: 0, reason: 'second' }), 'deadLettered');
    const [letter, ...more] = await scene.deadLetters();
    assert.equal(more.length, 0);
    assert.match(letter?.reason ?? '', /second/);
    assert.deepEqual([letter?.messageId, letter?.deliveryCount], [last.message.id, 2]);
  }),

  onStation('put back into the station, a message is a new one for all groups', async (scene) => {
    await scene.publish('1', { headers: { a: 'b' }, partitionKey: 'k' });
    await (await scene.takeOne(scene.reader())).settle({ action: 'deadLetter', reason: 'test' });
    const [{ outcome } = { outcome: undefined }] = await scene.letters.redrive({ group: 'billing' }, 'station', nobody);
    assert.equal(outcome, 'redriven');
    assert.equal(await scene.letters.count(), 0);
    for (const group of ['billing', 'audit']) {
      const taken = await scene.take(scene.reader({ group }), group === 'audit' ? 2 : 1);
      const { text, message } = taken.at(-1) ?? assert.fail('nothing came');
      assert.deepEqual([text, message.sequence, message.deliveryCount], ['1', 2, 1]);
      assert.deepEqual([message.headers, message.partitionKey], [{ a: 'b' }, 'k']);
    }
  }),

  onStation('long work on dead letters tells how far it is', async (scene) => {
    await scene.publishAll('1', '2', '3');
    await setAside(scene, 'billing', ['1', '2', '3']);
    const steps: (readonly [number, number])[] = [];
    const note = (done: number, total: number): void => void steps.push([done, total]);
    await scene.letters.redrive({}, 'group', note);
    assert.deepEqual(steps.at(-1), [3, 3]);
    await setAside(scene, 'billing', ['1', '2', '3']);
    steps.length = 0;
    await scene.letters.drop({}, note);
    assert.deepEqual(steps.at(-1), [3, 3]);
  }),
];
