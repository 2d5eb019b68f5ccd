/** Promises about what a broker tells of its stations, and about stations that are linked. */

import assert from 'node:assert/strict';
import { toStationSettings } from '../../model/station-settings.ts';
import { type ContractCase, onStation, refuses, type Scene, textsOf } from './subject.ts';

/** Figures of a group may lag behind for a moment. */
async function untilTold(scene: Scene, holds: (told: Awaited<ReturnType<typeof describe>>) => boolean) {
  let told = await describe(scene);
  for (let tries = 0; !holds(told) && tries < 40; tries++) {
    await scene.subject.pass(100);
    told = await describe(scene);
  }
  return told;
}

const describe = ({ subject, station }: Scene) => subject.admin.describeStation(station);

export const administering: readonly ContractCase[] = [
  onStation(
    'a station tells its settings, and what its partitions hold',
    async (scene) => {
      for (const partition of [1, 1, 2]) await scene.publish('x', { partition });
      const told = await describe(scene);
      assert.deepEqual([told.name, told.isOurs, told.messages, told.deadLetters], [scene.station, true, 3, 0]);
      assert.partialDeepStrictEqual(told.settings, {
        partitionsNumber: 2,
        retentionType: 'messages',
        retentionValue: 1_000,
        storageType: 'memory',
        replicas: scene.subject.replicas ?? 1,
        idempotencyWindowMs: 5_000,
      });
      assert.deepEqual(
        told.partitions.map(({ partition, messages, firstSequence, lastSequence }) => [
          partition,
          messages,
          firstSequence,
          lastSequence,
        ]),
        [
          [1, 2, 1, 2],
          [2, 1, 1, 1],
        ],
      );
      assert.ok(told.bytes > 0);
      assert.deepEqual(told.groups, []);
    },
    { partitionsNumber: 2, retentionType: 'messages', retentionValue: 1_000, idempotencyWindowMs: 5_000 },
  ),

  onStation('a station tells how far each group has come', async (scene) => {
    await scene.publishAll('1', '2', '3', '4');
    const [first, second, third] = await scene.take(scene.reader(), 3);
    await first?.ack();
    await second?.settle({ action: 'retry', delayMs: 0 });
    await third?.settle({ action: 'deadLetter', reason: 'test' });
    await scene.takeOne(scene.reader());
    await scene.isEmpty(scene.reader({ group: 'audit', start: { lastMessages: 0 } }));
    const told = await untilTold(scene, ({ groups }) => groups[1]?.redelivered === 1 && groups[1].ackPending === 1);
    assert.deepEqual(
      told.groups.map(({ name, pending, ackPending, redelivered, comingBack }) => [
        name,
        pending,
        ackPending,
        redelivered,
        comingBack,
      ]),
      [
        ['audit', 0, 0, 0, 0],
        ['billing', 1, 1, 1, 0],
      ],
    );
    assert.equal(told.deadLetters, 1);
  }),

  onStation('stations are listed by name', async ({ subject, station }) => {
    const names = (await subject.admin.listStations()).filter(({ name }) => name.startsWith(station));
    assert.deepEqual(names, [{ name: station, isOurs: true }]);
    await refuses('STATION_NOT_FOUND', subject.admin.describeStation(`${station}-not`));
  }),

  onStation('several may make the same station at the same time', async ({ subject, station, broker }) => {
    const name = `${station}-shared`;
    const settings = toStationSettings(name, { storageType: 'memory', replicas: subject.replicas ?? 1 });
    const made = await Promise.all(Array.from({ length: 4 }, () => subject.admin.createStation(name, settings)));
    assert.ok(made.includes(true));
    assert.deepEqual(await broker.partitions(name), [1]);
    assert.equal(await subject.admin.createStation(name, settings), false);
  }),

  onStation('a linked station gets a copy of each dead letter, for its own groups', async (scene) => {
    const { subject, station, broker } = scene;
    const [source, linked] = [`${station}-source`, `${station}-linked`];
    const options = { storageType: 'memory', replicas: subject.replicas ?? 1 } as const;
    const making = subject.admin.createStation(source, toStationSettings(source, { ...options, dlsStation: linked }));
    if (subject.lacksLinkedStations) return await refuses('UNSUPPORTED', making);
    await making;
    const data = new TextEncoder().encode('bad');
    const message = { station: source, partition: 1, data, headers: { a: 'b' }, producerName: 'contract' };
    await broker.publish(message, { timeoutMs: 10_000 });
    const options2 = { ackWaitMs: 30_000, maxDeliveries: 1 };
    const batch = await scene.pull(broker.reader({ station: source, group: 'g', ...options2 }), { waitMs: 5_000 });
    const [taken] = batch.messages;
    assert.equal(
      await batch.settle(taken ?? assert.fail('nothing'), { action: 'deadLetter', reason: 'test' }),
      'deadLettered',
    );
    const copies = await scene.pull(broker.reader({ station: linked, group: 'watch', ...options2 }), { waitMs: 5_000 });
    assert.deepEqual(textsOf(copies.messages), ['bad']);
    assert.equal(copies.messages[0]?.headers.a, 'b');
    assert.equal(await subject.admin.deadLetterStore(source, false).count(), 1);
  }),
];
