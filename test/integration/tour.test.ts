/** A tour of the client on a real broker: what an SDK of Memphis offers, as its users would write it. Schemas come later. */

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Client, connect, type Message } from 'memphis-serverless';
import { type RunningBroker, startBroker } from 'memphis-serverless/testing';
import { serversUnderTest } from '../support/servers.ts';

interface Order {
  readonly id: number;
}

for (const { binary, version } of serversUnderTest()) {
  describe(`a tour of the client, on nats-server ${version}`, () => {
    let broker: RunningBroker;
    let memphis: Client;

    before(async () => {
      broker = await startBroker({ binary, username: 'anna', password: 'a secret' });
    });
    after(async () => {
      await memphis?.close();
      await broker.stop();
    });

    test('connect with a password, as host and port', async () => {
      memphis = await connect({
        host: '127.0.0.1',
        port: broker.port,
        username: 'anna',
        password: () => Promise.resolve('a secret'), // asked at each dial
        accountId: 1,
        reconnect: true,
        maxReconnect: 10,
        reconnectIntervalMs: 1_000,
        timeoutMs: 15_000,
      });
      assert.equal(memphis.isConnected(), true);
    });

    test('create a station; making one that exists changes nothing', async () => {
      const options = {
        retentionType: 'message_age_sec',
        retentionValue: 3_600,
        storageType: 'memory',
        replicas: 1,
        idempotencyWindowMs: 120_000,
        schemaName: '',
        sendPoisonMsgToDls: true,
        sendSchemaFailedMsgToDls: true,
        tieredStorageEnabled: false,
        partitionsNumber: 2,
        dlsStation: 'set-aside',
      } as const;
      const station = await memphis.createStation('Shop.Orders', options);
      assert.equal(station.name, 'shop.orders');
      await memphis.createStation('shop.orders', options);
      const { settings, partitions } = await station.describe();
      assert.partialDeepStrictEqual(settings, { partitionsNumber: 2, dlsStation: 'set-aside', retentionValue: 3_600 });
      assert.equal(partitions.length, 2);
    });

    test('produce: bytes, text and objects; headers; a message id; a key', async () => {
      const producer = await memphis.createProducer('shop.orders', { name: 'api', genUniqueSuffix: true });
      const receipt = await producer.produce(
        { id: 1 },
        { headers: { trace: 'abc' }, msgId: 'order-1', ackWaitMs: 15_000 },
      );
      assert.partialDeepStrictEqual(receipt, { station: 'shop.orders', sequence: 1, duplicate: false });
      const again = await producer.produce({ id: 1 }, { msgId: 'order-1' });
      assert.deepEqual(again, { ...receipt, duplicate: true });
      const two = await producer.produce('{"id":2}', { partitionKey: 'customer-7' });
      const three = await producer.produce(Buffer.from('{"id":3}'), { partitionKey: 'customer-7' });
      assert.equal(two.partition, three.partition);
      await producer.destroy();
    });

    test('produce without a producer, without waiting, many at once, into several stations', async () => {
      const errors: unknown[] = [];
      await memphis.produce('shop.orders', { id: 4 }, { partition: 2 });
      const hasty = await memphis.createProducer('shop.orders', { onError: (error) => errors.push(error) });
      await hasty.produce({ id: 5 }, { async: true });
      const results = await hasty.produceBatch([{ id: 6 }, { id: 7 }]);
      assert.deepEqual(
        results.map(({ ok }) => ok),
        [true, true],
      );
      await hasty.flush();
      assert.deepEqual(errors, []);
      await memphis.createStation('audit', { storageType: 'memory' });
      const both = await memphis.createProducer(['shop.orders', 'audit']);
      const receipts = await both.produce({ id: 8 });
      assert.deepEqual(
        receipts.map(({ station }) => station),
        ['shop.orders', 'audit'],
      );
    });

    test('consume with a handler and a context: ack, delay, dead letter', async () => {
      const consumer = await memphis.createConsumer('shop.orders', {
        group: 'billing',
        pullIntervalMs: 100,
        batchSize: 10,
        batchMaxWaitMs: 1_000,
        maxAckTimeMs: 30_000,
        maxMsgDeliveries: 3,
        onError: (error) => assert.fail(String(error)),
      });
      const billed: number[] = [];
      const deliveries = new Map<number, number>();
      const handle = async (message: Message<Order>): Promise<void> => {
        const { id } = message.json();
        deliveries.set(id, message.deliveryCount);
        if (id === 1) assert.equal(message.headers.trace, 'abc');
        if (id === 2) return await message.deadLetter('unknown customer');
        if (id === 3 && message.deliveryCount === 1) return await message.delay(200);
        if (id === 4) return await message.nack(); // three times, then it is a dead letter
        await message.ack();
        billed.push(id);
      };
      consumer.consume<Order, { name: string }>(
        async (messages, context) => {
          assert.equal(context.name, 'tour');
          await Promise.all(messages.map(handle));
        },
        { context: { name: 'tour' } },
      );
      for (let i = 0; i < 200 && (billed.length < 6 || deliveries.get(4) !== 3); i++) await sleep(50);
      await consumer.stop();
      assert.deepEqual(billed.sort(), [1, 3, 5, 6, 7, 8]);
      assert.deepEqual([deliveries.get(3), deliveries.get(4)], [2, 3]);
    });

    test('dead letters are listed, put back for their group, and dropped; the linked station has copies', async () => {
      const letters = memphis.station('shop.orders').deadLetters();
      const list = await letters.list({ group: 'billing' });
      assert.deepEqual(list.map((letter) => letter.json<Order>().id).sort(), [2, 4]);
      const unknown = list.find(({ reason }) => reason === 'unknown customer');
      assert.ok(unknown);
      assert.deepEqual(await letters.redrive([unknown.id]), [{ id: unknown.id, outcome: 'redriven' }]);
      const [back] = await memphis.fetchMessages<Order>('shop.orders', { group: 'billing', batchMaxWaitMs: 5_000 });
      assert.deepEqual([back?.json().id, back?.deliveryCount], [2, 1]);
      await back?.ack();
      assert.equal(await letters.dropAll(), 1);
      const copies = await memphis.fetchMessages('set-aside', { group: 'support' });
      assert.equal(copies.length, 2);
    });

    test('fetch one batch: from a consumer, from the connection, of one partition, of a key', async () => {
      const consumer = await memphis.createConsumer('shop.orders', { group: 'report', batchSize: 100 });
      const first = await consumer.fetch({ batchMaxWaitMs: 500, partition: 1 });
      const second = await memphis.fetchMessages('shop.orders', { group: 'report', batchSize: 100, partition: 2 });
      assert.equal(first.length + second.length, 8);
      assert.ok(first.every(({ partition }) => partition === 1));
      await Promise.all([...first, ...second].map((message) => message.ack()));
      assert.deepEqual(await consumer.fetch({ batchMaxWaitMs: 0, partitionKey: 'customer-7' }), []);
    });

    test('begin at a sequence, or with the last messages', async () => {
      const later = await memphis.createConsumer('audit', { group: 'later', startConsumeFromSequence: 2 });
      assert.deepEqual(await later.fetch({ batchMaxWaitMs: 0 }), []);
      const last = await memphis.createConsumer('audit', { group: 'last', lastMessages: 1 });
      assert.equal((await last.fetch())[0]?.json<Order>().id, 8);
    });

    test('read message after message', async () => {
      const consumer = await memphis.createConsumer('audit', { name: 'reader', genUniqueSuffix: true });
      for await (const message of consumer) {
        assert.ok(message.sequence > 0 && message.timestamp instanceof Date && message.data.length > 0);
        await message.inProgress();
        await message.ack();
        break;
      }
      await consumer.destroy();
    });

    test('destroy a station, and close', async () => {
      const names = async (): Promise<string[]> => (await memphis.listStations()).map(({ name }) => name);
      assert.deepEqual((await names()).sort(), ['audit', 'set-aside', 'shop.orders']);
      await memphis.station('shop.orders').destroy();
      assert.deepEqual((await names()).sort(), ['audit', 'set-aside']);
      await memphis.close();
      assert.equal(memphis.isConnected(), false);
    });
  });
}
