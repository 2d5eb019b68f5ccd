/** Promises about stations, and about what is stored in them. */

import assert from 'node:assert/strict';
import { toInternalName } from '../../model/station.ts';
import { toStationSettings } from '../../model/station-settings.ts';
import { type ContractCase, onStation, refuses, textsOf } from './subject.ts';

export const storing: readonly ContractCase[] = [
  onStation('a station that exists is not made again', async ({ subject, station, broker }) => {
    const settings = toStationSettings(station, { storageType: 'memory', partitionsNumber: 4 });
    assert.equal(await subject.admin.createStation(station, settings), false);
    assert.deepEqual(await broker.partitions(station), [1]);
  }),

  onStation(
    'a station has the partitions that it was made with',
    async ({ station, broker }) => assert.deepEqual(await broker.partitions(station), [1, 2, 3]),
    { partitionsNumber: 3 },
  ),

  onStation(
    'sequences count up from 1 in each partition, and tell where a message is',
    async (scene) => {
      const receipts = [];
      for (const partition of [1, 1, 2, 1]) receipts.push(await scene.publish('x', { partition }));
      assert.deepEqual(
        receipts.map(({ station, partition, sequence, duplicate }) => [station, partition, sequence, duplicate]),
        [
          [scene.station, 1, 1, false],
          [scene.station, 1, 2, false],
          [scene.station, 2, 1, false],
          [scene.station, 1, 3, false],
        ],
      );
      const taken = await scene.take(scene.reader(), 4);
      assert.deepEqual(taken.map(({ message }) => message.id).sort(), [
        `${toInternalName(scene.station)}$1:1`,
        `${toInternalName(scene.station)}$1:2`,
        `${toInternalName(scene.station)}$1:3`,
        `${toInternalName(scene.station)}$2:1`,
      ]);
    },
    { partitionsNumber: 2 },
  ),

  onStation('a message comes as it was sent: payload, headers, key, and the time it was stored', async (scene) => {
    const data = Uint8Array.from({ length: 256 }, (_, index) => index);
    const headers = { a: 'b', 'Content-Type': 'x/y; z="ü"', empty: '' };
    await scene.publish('', { data, headers, partitionKey: 'customer 7/ü' });
    await scene.publish('', { data: new Uint8Array() });
    const [first, second] = await scene.take(scene.reader(), 2);
    assert.deepEqual([...(first?.message.data ?? [])], [...data]);
    assert.deepEqual(first?.message.headers, headers);
    assert.equal(first?.message.partitionKey, 'customer 7/ü');
    assert.deepEqual([first?.message.partition, first?.message.sequence], [1, 1]);
    assert.ok(Number.isFinite(first?.message.timestamp.getTime()));
    assert.equal(second?.message.data.length, 0);
    assert.deepEqual(second?.message.headers, {});
    assert.equal(second?.message.partitionKey, undefined);
    assert.ok((second?.message.timestamp.getTime() ?? 0) >= (first?.message.timestamp.getTime() ?? 1));
  }),

  onStation(
    'a message id is stored once in a partition, and its first copy is told',
    async (scene) => {
      const first = await scene.publish('first', { msgId: 'id 1' });
      await scene.publish('other');
      assert.deepEqual(await scene.publish('second', { msgId: 'id 1' }), { ...first, duplicate: true });
      const elsewhere = await scene.publish('third', { msgId: 'id 1', partition: 2 });
      assert.equal(elsewhere.duplicate, false);
      const taken = await scene.take(scene.reader(), 3);
      assert.deepEqual(taken.map(({ text }) => text).sort(), ['first', 'other', 'third']);
      assert.deepEqual(taken.find(({ text }) => text === 'first')?.message.headers, { 'msg-id': 'id 1' });
      await scene.isEmpty(scene.reader());
    },
    { partitionsNumber: 2 },
  ),

  onStation(
    'a message id is forgotten when its window is over',
    async (scene) => {
      await scene.publish('first', { msgId: '1' });
      await scene.subject.pass(1_500);
      assert.equal((await scene.publish('second', { msgId: '1' })).duplicate, false);
      await scene.take(scene.reader(), 2);
    },
    { idempotencyWindowMs: 500 },
  ),

  onStation('a message that is too large is refused and not stored', async (scene) => {
    const { maxPayloadBytes } = scene.subject;
    await refuses('PAYLOAD_TOO_LARGE', scene.publish('x'.repeat(maxPayloadBytes + 1)));
    await refuses('PAYLOAD_TOO_LARGE', scene.publish('', { headers: { a: 'x'.repeat(maxPayloadBytes) } }));
    await scene.publish('y'.repeat(Math.floor(maxPayloadBytes * 0.9)));
    assert.equal((await scene.takeOne(scene.reader())).message.sequence, 1);
  }),

  onStation(
    'whether a message is too large is known before it is sent, and that it was sent is told',
    async (scene) => {
      const { subject, station, broker } = scene;
      const sizeOf = await broker.checker({ timeoutMs: 5_000 });
      const make = (bytes: number) => ({
        station,
        partition: 1,
        data: new Uint8Array(bytes),
        headers: {},
        producerName: 'contract',
      });
      assert.ok(sizeOf(make(1_000)) >= 1_000);
      await refuses('PAYLOAD_TOO_LARGE', (async () => sizeOf(make(subject.maxPayloadBytes + 1)))());
      let written = 0;
      await broker.publish(make(10), { timeoutMs: 5_000, onWritten: () => written++ });
      assert.equal(written, 1);
      await scene.takeOne(scene.reader());
    },
  ),

  onStation('a partition that is not there is refused', async (scene) => {
    await refuses('PARTITION_NOT_FOUND', scene.publish('x', { partition: 2 }));
    await refuses('PARTITION_NOT_FOUND', scene.pull(scene.reader(), { partition: 2 }));
  }),

  onStation('a station that is not there is refused everywhere', async ({ subject, station, broker }) => {
    const nowhere = `${station}-not`;
    const message = { station: nowhere, partition: 1, data: new Uint8Array(), headers: {}, producerName: 'contract' };
    const reader = broker.reader({ station: nowhere, group: 'g', ackWaitMs: 1_000, maxDeliveries: 1 });
    await refuses('STATION_NOT_FOUND', broker.partitions(nowhere));
    await refuses('STATION_NOT_FOUND', broker.publish(message, { timeoutMs: 5_000 }));
    await refuses('STATION_NOT_FOUND', reader.pull({ batchSize: 1, waitMs: 0 }));
    await refuses('STATION_NOT_FOUND', subject.admin.destroyStation(nowhere));
  }),

  onStation('a destroyed station is gone, and a new one of its name is empty', async (scene) => {
    const { subject, station, broker } = scene;
    await scene.publish('old', { msgId: '1' });
    await (await scene.takeOne(scene.reader())).settle({ action: 'deadLetter', reason: 'test' });
    await subject.admin.destroyStation(station);
    await refuses('STATION_NOT_FOUND', scene.publish('lost'));
    await refuses('STATION_NOT_FOUND', scene.pull(scene.reader()));
    await refuses('STATION_NOT_FOUND', broker.partitions(station));
    assert.equal(
      await subject.admin.createStation(station, toStationSettings(station, { storageType: 'memory' })),
      true,
    );
    assert.deepEqual(await scene.deadLetters(), []);
    const receipt = await scene.publish('new', { msgId: '1' });
    assert.deepEqual([receipt.sequence, receipt.duplicate], [1, false]);
    const { messages } = await scene.pull(scene.reader(), { waitMs: 2_000 });
    assert.deepEqual(textsOf(messages), ['new']);
    assert.equal(messages[0]?.deliveryCount, 1);
  }),
];
