/** Producing without waiting, on real servers: what is under way ends before its client does, and no failure is hidden. */

import assert from 'node:assert/strict';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { after, before, describe, test } from 'node:test';
import { type Client, connect, type FailedMessage, isMemphisError, type MemphisError } from '../../src/index.ts';
import { type RunningBroker, startBroker } from '../../src/testing/start-broker.ts';
import { countStored, makeFullStation } from '../support/full-station.ts';
import { watchProcess } from '../support/process-watch.ts';
import { serversUnderTest } from '../support/servers.ts';

for (const { binary, version } of serversUnderTest()) {
  describe(`producing without waiting on nats-server ${version}`, () => {
    let broker: RunningBroker;
    let memphis: Client;
    let made = 0;
    const newStation = async (options: Record<string, unknown> = {}): Promise<string> => {
      const name = `s${++made}`;
      await memphis.createStation(name, { storageType: 'memory', ...options });
      return name;
    };
    const newFullStation = async (messages: number): Promise<string> => {
      const name = `full${++made}`;
      await makeFullStation(broker.port, name, messages);
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

    test('it answers where it was written, without a sequence, and flush waits until it is stored', async () => {
      const name = await newStation({ partitionsNumber: 3 });
      const producer = await memphis.createProducer(name);
      const written = await producer.produce('a', { async: true, partition: 2 });
      assert.deepEqual(written, { station: name, partition: 2 });
      await producer.flush();
      assert.deepEqual(await countStored(broker.port, name, 3), [0, 1, 0]);
    });

    test('it resolves while a broker is silent, and the message is stored once when it speaks again', async () => {
      const name = await newStation();
      const producer = await memphis.createProducer(name);
      broker.freeze();
      await producer.produce('a', { async: true });
      const flushed = producer.flush();
      broker.thaw();
      await flushed;
      assert.deepEqual(await countStored(broker.port, name), [1]);
    });

    test('closing the client waits for what is under way', async () => {
      const name = await newStation();
      const other = await connect({ servers: [broker.url] });
      const producer = await other.createProducer(name);
      for (let i = 0; i < 500; i++) await producer.produce(`a${i}`, { async: true });
      for (let i = 0; i < 500; i++) void other.produce(name, `b${i}`, { async: true });
      await new Promise((resolve) => setImmediate(resolve));
      await other.close();
      assert.deepEqual(await countStored(broker.port, name), [1_000]);
      await assert.rejects(producer.produce('late', { async: true }), { code: 'CLOSED' });
    });

    test('destroying a producer waits for what it has under way', async () => {
      const name = await newStation();
      const producer = await memphis.createProducer(name);
      for (let i = 0; i < 500; i++) await producer.produce(`a${i}`, { async: true });
      await producer.destroy();
      assert.deepEqual(await countStored(broker.port, name), [500]);
      await assert.rejects(producer.produce('late', { async: true }), { code: 'CLOSED' });
    });

    test('what fails before it is written is thrown, and is nobody else’s business', async () => {
      const name = await newStation();
      const failures: unknown[] = [];
      const producer = await memphis.createProducer(name, { onError: (error) => failures.push(error) });
      const big = new Uint8Array(2 * 1024 * 1024);
      await assert.rejects(producer.produce(big, { async: true }), { code: 'PAYLOAD_TOO_LARGE' });
      await assert.rejects(producer.produce(7 as never, { async: true }), { code: 'INVALID_MESSAGE' });
      await assert.rejects(producer.produce('x', { async: true, partition: 9 }), { code: 'PARTITION_NOT_FOUND' });
      await assert.rejects(producer.produce('x', { async: 'yes' } as never), { code: 'INVALID_OPTION' });
      await assert.rejects(producer.produce('x', { async: true, onError: 'x' } as never), { code: 'INVALID_OPTION' });
      await producer.flush();
      assert.deepEqual(failures, []);
    });

    test('what nobody awaits is waited for, and its failure goes where later ones go', async () => {
      const name = await newStation();
      const client = await connect({ servers: [broker.url] });
      const taken: [string, unknown][] = [];
      const { rejections } = await watchProcess(async () => {
        void client.produce(name, 'stored', { async: true });
        void client.produce(name, new Uint8Array(2 * 1024 * 1024), {
          async: true,
          onError: (error, { message }) => taken.push([error.code, (message as Uint8Array).length]),
        });
        void client.produce('nowhere', 'x', { async: true }).then(() => assert.fail('it is not stored'));
        void client.produce('no way', 'x', { async: true });
        await assert.rejects(client.close(), (error) => {
          assert.ok(isMemphisError(error, 'NOT_ALL_STORED'));
          const codes = error.failures?.map((failure) => [failure.station, failure.error.code]);
          assert.deepEqual(codes?.sort(), [
            ['no way', 'INVALID_NAME'],
            ['nowhere', 'STATION_NOT_FOUND'],
          ]);
          return true;
        });
      });
      assert.deepEqual(rejections, []);
      assert.deepEqual(taken, [['PAYLOAD_TOO_LARGE', 2 * 1024 * 1024]]);
      assert.deepEqual(await countStored(broker.port, name), [1]);
    });

    test('onError gets the failure and the message, and takes it', async () => {
      const name = await newFullStation(1);
      const taken: [MemphisError, FailedMessage][] = [];
      const onError = (error: MemphisError, failed: FailedMessage): void => void taken.push([error, failed]);
      const producer = await memphis.createProducer(name, { onError });
      const { rejections } = await watchProcess(async () => {
        await producer.produce({ n: 1 }, { async: true });
        await producer.produce({ n: 2 }, { async: true, msgId: 'two', headers: { a: 'b' }, partitionKey: 'k' });
        await producer.flush();
      });
      assert.deepEqual(rejections, []);
      assert.deepEqual(
        taken.map(([error]) => error.code),
        ['STORAGE_FULL'],
      );
      const failed = { station: name, partition: 1, msgId: 'two', partitionKey: 'k' };
      assert.deepEqual(taken[0]?.[1], { ...failed, message: { n: 2 }, headers: { a: 'b' } });
      await producer.destroy();
    });

    test('the onError of one produce goes before that of its producer', async () => {
      const name = await newFullStation(1);
      await memphis.produce(name, 'fills it');
      const taken: string[] = [];
      const producer = await memphis.createProducer(name, { onError: () => taken.push('producer') });
      await producer.produce('a', { async: true, onError: () => taken.push('own') });
      await producer.produce('b', { async: true });
      await memphis.produce(name, 'c', { async: true, onError: () => taken.push('client') });
      await memphis.flush();
      assert.deepEqual(taken.sort(), ['client', 'own', 'producer']);
    });

    for (const how of ['flush', 'destroy', 'close'] as const) {
      test(`without onError, ${how} throws the failures once`, async () => {
        const name = await newFullStation(1);
        const client = await connect({ servers: [broker.url] });
        const producer = await client.createProducer(name);
        const { rejections } = await watchProcess(async () => {
          for (let i = 0; i < 13; i++) await producer.produce(`a${i}`, { async: true });
          const end = how === 'close' ? () => client.close() : () => producer[how]();
          await assert.rejects(end(), (error) => {
            assert.ok(isMemphisError(error, 'NOT_ALL_STORED'), String(error));
            assert.match(error.message, /^12 of the messages/);
            assert.equal(error.failures?.length, 10);
            assert.ok(error.failures?.every((each) => each.station === name && each.error.code === 'STORAGE_FULL'));
            return true;
          });
          await end();
        });
        assert.deepEqual(rejections, []);
        assert.equal(client.isConnected(), how !== 'close');
        await client.close();
      });
    }

    test('a failure shows on the diagnostics channel, whoever takes it', async () => {
      const name = await newFullStation(1);
      const events: unknown[] = [];
      const listen = (event: unknown): void => {
        const { station, producer, error } = event as Record<string, unknown>;
        events.push([station, producer, isMemphisError(error) ? error.code : error]);
      };
      subscribe('memphis-serverless:produce-failed', listen);
      try {
        const producer = await memphis.createProducer(name, { name: 'api', onError: () => {} });
        for (let i = 0; i < 2; i++) await producer.produce('a', { async: true });
        await producer.flush();
      } finally {
        unsubscribe('memphis-serverless:produce-failed', listen);
      }
      assert.deepEqual(events, [[name, 'api', 'STORAGE_FULL']]);
    });

    for (const [how, onError] of [
      ['throws', () => assert.fail('mine')],
      ['rejects', () => Promise.reject(new Error('mine'))],
    ] as const) {
      test(`an onError that ${how} leaves the failure untaken`, async () => {
        const name = await newFullStation(1);
        const producer = await memphis.createProducer(name, { onError });
        const { rejections } = await watchProcess(async () => {
          for (let i = 0; i < 2; i++) await producer.produce('a', { async: true });
          await assert.rejects(producer.flush(), (error) => {
            assert.ok(isMemphisError(error, 'NOT_ALL_STORED'));
            assert.match(String(error.failures?.[0]?.error.message), /onError failed.*mine/);
            return true;
          });
        });
        assert.deepEqual(rejections, []);
      });
    }

    test('more than may be under way waits its turn, and all of it is stored in order', async () => {
      const name = await newStation();
      const producer = await memphis.createProducer(name);
      const written = Array.from({ length: 5_000 }, (_, i) => producer.produce(String(i), { async: true }));
      await Promise.all(written);
      await producer.flush();
      const messages = await memphis.fetchMessages(name, { group: 'g', batchSize: 5_000, batchMaxWaitMs: 1_000 });
      assert.deepEqual(
        messages.map((message) => message.text()),
        written.map((_, i) => String(i)),
      );
    });

    test('messages of one tick are stored in order, also those before their station is known', async () => {
      const name = await newStation();
      const client = await connect({ servers: [broker.url] });
      const texts = Array.from({ length: 300 }, (_, i) => String(i));
      const receipts = await Promise.all(texts.map((text) => client.produce(name, text)));
      assert.deepEqual(
        receipts.map(({ sequence }) => sequence),
        texts.map((_, i) => i + 1),
      );
      const messages = await client.fetchMessages(name, { group: 'g', batchSize: 300, batchMaxWaitMs: 1_000 });
      assert.deepEqual(
        messages.map((message) => message.text()),
        texts,
      );
      await client.close();
    });

    test('each unique suffix is another one, and travels with the messages', async () => {
      const name = await newStation();
      const make = () => memphis.createProducer(name, { name: 'api', genUniqueSuffix: true });
      const [one, two] = [await make(), await make()];
      assert.match(one.name, /^api_[0-9a-f]{8}$/);
      assert.notEqual(one.name, two.name);
      assert.equal((await memphis.createProducer(name, { name: 'api' })).name, 'api');
      const long = await memphis.createProducer(name, { name: 'a'.repeat(128), genUniqueSuffix: true });
      assert.match(long.name, /^a{119}_[0-9a-f]{8}$/);
    });
  });

  test(`nats-server ${version}: killed in the middle of what nobody waits for, each is stored once and none is lost`, async () => {
    await using broker = await startBroker({ binary });
    const memphis = await connect({ servers: [broker.url] });
    await memphis.createStation('orders', { partitionsNumber: 2 });
    const failures: unknown[] = [];
    const producer = await memphis.createProducer('orders', { onError: (error) => failures.push(error) });
    let repeated = 0;
    const onRetry = (): void => void repeated++;
    subscribe('memphis-serverless:retry', onRetry);
    const texts = Array.from({ length: 3_000 }, (_, i) => `order ${i}`.padEnd(4_000)); // more than may be under way
    const marker = producer.produce('marker');
    for (const text of texts) void producer.produce(text, { async: true });
    await marker;
    broker.freeze();
    await broker.kill();
    await broker.restart();
    await memphis.close();
    unsubscribe('memphis-serverless:retry', onRetry);
    assert.ok(repeated > 0, 'it was in the middle');
    assert.deepEqual(failures, []);
    const reader = await connect({ servers: [broker.url] });
    const messages = await reader.fetchMessages('orders', { group: 'g', batchSize: 5_000, batchMaxWaitMs: 2_000 });
    const stored = messages.map((message) => message.text()).filter((text) => text !== 'marker');
    assert.deepEqual(stored.sort(), [...texts].sort());
    await reader.close();
  });

  test(`nats-server ${version}: memory that is written to after the promise resolved does not change what is repeated`, async () => {
    await using broker = await startBroker({ binary });
    const memphis = await connect({ servers: [broker.url] });
    await memphis.createStation('orders');
    const producer = await memphis.createProducer('orders');
    const bytes = new TextEncoder().encode('first');
    broker.freeze();
    await producer.produce(bytes, { async: true });
    bytes.fill(120);
    await broker.kill();
    await broker.restart();
    await producer.flush();
    const [message] = await memphis.fetchMessages('orders', { group: 'g', batchMaxWaitMs: 1_000 });
    assert.equal(message?.text(), 'first');
    await memphis.close();
  });

  test(`nats-server ${version}: a broker that is silent holds up the end of a client for ackWaitMs, and not longer`, async () => {
    await using broker = await startBroker({ binary });
    const memphis = await connect({ servers: [broker.url] });
    await memphis.createStation('orders', { storageType: 'memory' });
    const producer = await memphis.createProducer('orders', { ackWaitMs: 700 });
    await producer.produce('the connection is up');
    broker.freeze();
    const startedAt = performance.now();
    for (let i = 0; i < 10; i++) await producer.produce('x', { async: true });
    await assert.rejects(memphis.close(), { code: 'NOT_ALL_STORED', message: /^10 of the messages/ });
    const tookMs = performance.now() - startedAt;
    broker.thaw();
    assert.ok(tookMs >= 600 && tookMs < 10_000, `${tookMs} ms`);
  });
}
