/** Describing and listing stations on real servers. */

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type Client, connect, isMemphisError } from '../../src/index.ts';
import { type RunningBroker, startBroker } from '../../src/testing/start-broker.ts';
import { withRawApi } from '../support/raw-api.ts';
import { serversUnderTest } from '../support/servers.ts';

for (const { binary, version } of serversUnderTest()) {
  describe(`describing stations on nats-server ${version}`, () => {
    let broker: RunningBroker;
    let memphis: Client;
    const makeStreams = (configs: readonly (Record<string, unknown> & { name: string })[]) =>
      withRawApi(broker.port, async (api) => {
        for (const config of configs) {
          const reply = await api(`STREAM.CREATE.${config.name}`, { storage: 'memory', ...config });
          assert.equal(reply.error, undefined);
        }
      });

    before(async () => {
      broker = await startBroker({ binary });
      memphis = await connect({ servers: [broker.url] });
    });
    after(async () => {
      await memphis.close();
      await broker.stop();
    });

    test('a description has settings, partitions, groups and dead letters', async () => {
      const startedAt = Date.now();
      const station = await memphis.createStation('Desk.One', {
        partitionsNumber: 2,
        retentionType: 'messages',
        retentionValue: 100,
        storageType: 'memory',
        idempotencyWindowMs: 5_000,
        sendSchemaFailedMsgToDls: false,
        schemaName: '',
        dlsStation: 'desk.failed',
      });
      for (let i = 0; i < 5; i++) await memphis.produce('desk.one', `m${i}`, { partition: i < 4 ? 1 : 2 });
      const options = { batchSize: 10, batchMaxWaitMs: 0, maxAckTimeMs: 60_000 };
      const [a, b, c] = await memphis.fetchMessages('desk.one', { ...options, group: 'First.Group', partition: 1 });
      await a?.ack();
      await b?.deadLetter('why');
      await c?.nack();
      await memphis.fetchMessages('desk.one', { ...options, group: 'first.group', batchSize: 1, partition: 1 });
      await memphis.fetchMessages('desk.one', { ...options, group: 'second', batchSize: 1, partition: 2 });

      const description = await station.describe();
      assert.deepEqual(description, await memphis.describeStation('DESK.one'));
      const { partitions, ...rest } = description;
      for (const { bytes, firstAt, lastAt } of partitions) {
        assert.ok(bytes > 0);
        for (const at of [firstAt, lastAt]) assert.ok(at !== undefined && at.getTime() >= startedAt - 1_000);
      }
      assert.deepEqual(
        partitions.map(({ partition, messages, firstSequence, lastSequence }) => [
          partition,
          messages,
          firstSequence,
          lastSequence,
        ]),
        [
          [1, 4, 1, 4],
          [2, 1, 1, 1],
        ],
      );
      assert.deepEqual(rest, {
        name: 'desk.one',
        isOurs: true,
        settings: {
          partitionsNumber: 2,
          retentionType: 'messages',
          retentionValue: 100,
          storageType: 'memory',
          replicas: 1,
          idempotencyWindowMs: 5_000,
          sendPoisonMsgToDls: true,
          sendSchemaFailedMsgToDls: false,
          schemaName: '',
          dlsStation: 'desk.failed',
          tieredStorageEnabled: false,
        },
        messages: 5,
        bytes: partitions.reduce((sum, { bytes }) => sum + bytes, 0),
        groups: [
          {
            name: 'first.group',
            pending: 0,
            ackPending: 2,
            redelivered: 1,
            comingBack: 0,
            partitions: [{ partition: 1, pending: 0, ackPending: 2, redelivered: 1 }],
          },
          {
            name: 'second',
            pending: 0,
            ackPending: 1,
            redelivered: 0,
            comingBack: 0,
            partitions: [{ partition: 2, pending: 0, ackPending: 1, redelivered: 0 }],
          },
        ],
        deadLetters: 1,
      });
    });

    test('an empty station has no times, and no groups', async () => {
      const station = await memphis.createStation('empty', { storageType: 'memory' });
      const { partitions, groups, messages, deadLetters } = await station.describe();
      assert.deepEqual([groups, messages, deadLetters], [[], 0, 0]);
      assert.deepEqual(
        partitions.map(({ partition, firstAt, lastAt }) => [partition, firstAt, lastAt]),
        [[1, undefined, undefined]],
      );
    });

    test('settings are those in force, whatever the record says', async () => {
      const station = await memphis.createStation('changed', { storageType: 'memory', partitionsNumber: 2 });
      await withRawApi(broker.port, async (api) => {
        const { config } = await api('STREAM.INFO.changed$1');
        await api('STREAM.UPDATE.changed$1', { ...(config as object), max_age: 7_200e9 });
        await api('STREAM.DELETE.changed$2');
      });
      const { settings, partitions } = await station.describe();
      assert.deepEqual([settings.retentionType, settings.retentionValue], ['message_age_sec', 7_200]);
      assert.deepEqual([settings.partitionsNumber, partitions.length], [2, 1], 'one partition was lost');
    });

    test('stations of others are described as far as their streams say', async () => {
      await makeStreams([
        { name: 'their.way'.replace('.', '#'), subjects: ['their#way.>'] },
        { name: 'queue$1', subjects: ['queue$1.>'], retention: 'workqueue', duplicate_window: 1e9 },
        { name: 'sized$1', subjects: ['sized$1.>'], max_bytes: 10_000, max_age: 60e9 },
      ]);
      const shown = [];
      for (const name of ['their.way', 'queue', 'sized']) {
        const { isOurs, settings, partitions } = await memphis.describeStation(name);
        shown.push([isOurs, settings.retentionType, settings.retentionValue, partitions.map((p) => p.partition)]);
      }
      assert.deepEqual(shown, [
        [false, 'message_age_sec', 0, [0]],
        [false, 'ack_based', 0, [1]],
        [false, 'bytes', 10_000, [1]],
      ]);
    });

    test('what is no station is not described', async () => {
      for (const name of ['nowhere', 'desk.one.more']) {
        await assert.rejects(memphis.describeStation(name), (error) => isMemphisError(error, 'STATION_NOT_FOUND'));
      }
      await assert.rejects(memphis.describeStation('a$b'), (error) => isMemphisError(error, 'INVALID_NAME'));
    });

    test('the list has stations of ours and of others, and no streams that are none', async () => {
      await using own = await startBroker({ binary });
      const client = await connect({ servers: [own.url] });
      try {
        assert.deepEqual(await client.listStations(), []);
        await client.createStation('b.two', { storageType: 'memory', partitionsNumber: 3 });
        await client.createStation('a-one', { storageType: 'memory' });
        await client.createStation('gone', { storageType: 'memory' });
        await client.station('gone').destroy();
        await withRawApi(own.port, async (api) => {
          const others = {
            theirs$1: ['theirs$1.>'],
            gone$1: ['gone$1.>'], // made anew by others
            plain: ['plain.>'],
            elsewhere: ['some.other.subject'],
            ORDERS: ['ORDERS.final'],
            'half-way': ['half-way.eu.*'],
            a_one$retry: ['x.retry'],
          };
          for (const [name, subjects] of Object.entries(others)) {
            const reply = await api(`STREAM.CREATE.${name}`, { name, subjects, storage: 'memory' });
            assert.equal(reply.error, undefined, name);
          }
        });
        assert.deepEqual(await client.listStations(), [
          { name: 'a-one', isOurs: true },
          { name: 'b.two', isOurs: true },
          { name: 'gone', isOurs: false },
          { name: 'plain', isOurs: false },
          { name: 'theirs', isOurs: false },
        ]);
      } finally {
        await client.close();
      }
    });

    test('more streams, groups and subjects than fit on a page of the broker are all there', async () => {
      await using own = await startBroker({ binary });
      const client = await connect({ servers: [own.url] });
      try {
        await client.createStation('wide', { storageType: 'memory', partitionsNumber: 1_100 });
        for (let i = 0; i < 320; i++) await client.createStation(`n${i}`, { storageType: 'memory' });
        const listed = await client.listStations();
        assert.equal(listed.length, 321);
        assert.ok(listed.every(({ isOurs }) => isOurs));
        const { partitions } = await client.describeStation('wide');
        assert.deepEqual(
          partitions.map(({ partition }) => partition),
          Array.from({ length: 1_100 }, (_, index) => index + 1),
        );
        await withRawApi(own.port, async (api) => {
          for (let i = 0; i < 300; i++) {
            const config = { durable_name: `g${i}`, ack_policy: 'explicit' };
            await api(`CONSUMER.DURABLE.CREATE.n1$1.g${i}`, { stream_name: 'n1$1', config });
          }
        });
        assert.equal((await client.describeStation('n1')).groups.length, 300);
        await client.station('wide').destroy();
        assert.equal((await client.listStations()).length, 320);
      } finally {
        await client.close();
      }
    });
  });
}
