/** The client on real servers: stations, producing, fetching, settling, dead letters. */

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type Client, connect, isMemphisError, type Message } from '../../src/index.ts';
import { type RunningBroker, startBroker } from '../../src/testing/start-broker.ts';
import { readDeadLetters } from '../support/dead-letters.ts';
import { hasCode } from '../support/has-code.ts';
import { serversUnderTest } from '../support/servers.ts';

for (const { binary, version } of serversUnderTest()) {
  describe(`client on nats-server ${version}`, () => {
    let broker: RunningBroker;
    let memphis: Client;
    let made = 0;
    const newStation = async (options: Record<string, unknown> = {}): Promise<string> => {
      const name = `s.${++made}`;
      await memphis.createStation(name, { storageType: 'memory', ...options });
      return name;
    };
    const fetchAll = async (station: string, group = 'g', options: Record<string, unknown> = {}): Promise<Message[]> =>
      memphis.fetchMessages(station, { group, batchSize: 1_000, batchMaxWaitMs: 0, ...options });

    before(async () => {
      broker = await startBroker({ binary });
      memphis = await connect({ servers: [broker.url] });
    });
    after(async () => {
      await memphis.close();
      await broker.stop();
    });

    test('a station that exists stays as it is, one that is destroyed is gone with its dead letters', async () => {
      const name = await newStation({ partitionsNumber: 2 });
      await memphis.produce(name, 'kept');
      await memphis.createStation(name, { storageType: 'memory', partitionsNumber: 5 });
      assert.deepEqual(
        (await fetchAll(name)).map((message) => message.text()),
        ['kept'],
      );
      await memphis.station(name).destroy();
      await assert.rejects(memphis.createProducer(name), hasCode('STATION_NOT_FOUND'));
      await assert.rejects(memphis.produce(name, 'x'), hasCode('STATION_NOT_FOUND'));
      await assert.rejects(memphis.station(name).destroy(), hasCode('STATION_NOT_FOUND'));
      await memphis.createStation(name, { storageType: 'memory' });
      assert.deepEqual(await fetchAll(name), []);
    });

    test('a partition key that is no proper text is sent as one', async () => {
      const name = await newStation();
      await memphis.produce(name, 'x', { partitionKey: 'a\ud800' });
      const [message] = await fetchAll(name);
      assert.equal(message?.partitionKey, 'a\ufffd');
    });

    test('a station whose making was cut off is completed, one of others is left alone', async () => {
      const name = await newStation();
      const { openLean } = await import('../../src/connection/lean/session.ts');
      const { stationStreamConfig } = await import('../../src/brokers/jetstream/wire/streams.ts');
      const raw = openLean({ server: `127.0.0.1:${broker.port}`, name: 'test', timeoutMs: 1_000 });
      const settings = {
        partitionsNumber: 3,
        retentionType: 'message_age_sec',
        retentionValue: 3600,
        storageType: 'memory',
        replicas: 1,
        idempotencyWindowMs: 120_000,
        sendPoisonMsgToDls: true,
      } as const;
      const make = async (config: unknown, stream: string): Promise<void> => {
        const body = new TextEncoder().encode(JSON.stringify(config));
        await raw.request(`$JS.API.STREAM.CREATE.${stream}`, body, { timeoutMs: 2_000 });
      };
      await make(stationStreamConfig(`cut-${name}$1`.replace('.', '#'), settings), `cut-${name}$1`.replace('.', '#'));
      await make({ name: 'theirs$1', subjects: ['theirs$1.>'], storage: 'memory', max_msgs: 7 }, 'theirs$1');
      await raw.close();
      for (const station of [`cut-${name}`, 'theirs']) {
        await memphis.createStation(station, { storageType: 'memory', partitionsNumber: 3 });
        await memphis.createStation(station, { storageType: 'memory', partitionsNumber: 3 });
      }
      assert.equal((await memphis.produce(`cut-${name}`, 'x', { partition: 3 })).partition, 3);
      await assert.rejects(memphis.produce('theirs', 'x', { partition: 3 }), hasCode('PARTITION_NOT_FOUND'));
    });

    test('a message travels with bytes, headers, id, key, time and count', async () => {
      const name = await newStation({ partitionsNumber: 3 });
      const before = Date.now();
      const receipt = await memphis.produce(
        name,
        { id: 1 },
        { headers: { a: 'b' }, msgId: 'm-1', partitionKey: 'key' },
      );
      assert.deepEqual(receipt, { station: name, partition: 2, sequence: 1, duplicate: false });
      const [message] = await fetchAll(name);
      assert.ok(message);
      assert.deepEqual(message.json(), { id: 1 });
      assert.deepEqual(message.value(), { id: 1 });
      assert.deepEqual(message.headers, { a: 'b', 'msg-id': 'm-1' });
      assert.equal(message.partitionKey, 'key');
      assert.equal(message.id, `${name.replace('.', '#')}$2:1`);
      assert.equal(message.deliveryCount, 1);
      assert.ok(Math.abs(message.timestamp.getTime() - before) < 5_000);
      await message.ack();
    });

    test('the same message id is stored once in the idempotency window, and says so', async () => {
      const name = await newStation({ partitionsNumber: 5, idempotencyWindowMs: 60_000 });
      const first = await memphis.produce(name, 'a', { msgId: 'same' });
      const second = await memphis.produce(name, 'b', { msgId: 'same' });
      assert.deepEqual(second, { ...first, duplicate: true });
      assert.equal((await fetchAll(name)).length, 1);
    });

    test('partitions take turns, a number chooses one, a wrong one is refused', async () => {
      const name = await newStation({ partitionsNumber: 3 });
      const producer = await memphis.createProducer(name);
      const turns: number[] = [];
      for (let i = 0; i < 6; i++) turns.push((await producer.produce('x')).partition);
      assert.deepEqual(turns, [1, 2, 3, 1, 2, 3]);
      assert.equal((await producer.produce('x', { partition: 3 })).partition, 3);
      await assert.rejects(producer.produce('x', { partition: 4 }), hasCode('PARTITION_NOT_FOUND'));
      assert.equal((await fetchAll(name, 'g', { partition: 3 })).length, 3);
    });

    test('a fetch gets everything of all partitions at once and never more than asked', async () => {
      const name = await newStation({ partitionsNumber: 4 });
      for (let i = 0; i < 30; i++) await memphis.produce(name, String(i), { partition: i < 27 ? 2 : 4 });
      const consumer = await memphis.createConsumer(name, { group: 'g', batchSize: 10, batchMaxWaitMs: 0 });
      const sizes: number[] = [];
      const seen = new Set<string>();
      for (let i = 0; i < 4; i++) {
        const messages = await consumer.fetch();
        sizes.push(messages.length);
        await Promise.all(messages.map((message) => message.ack()));
        for (const message of messages) seen.add(message.text());
      }
      assert.deepEqual(sizes, [10, 10, 10, 0]);
      assert.equal(seen.size, 30);
    });

    test('a waiting fetch returns with the first message, an empty one when the wait is over', async () => {
      const name = await newStation({ partitionsNumber: 3 });
      const consumer = await memphis.createConsumer(name, { group: 'g', batchMaxWaitMs: 5_000 });
      await consumer.fetch({ batchMaxWaitMs: 0 });
      const startedAt = performance.now();
      const waiting = consumer.fetch();
      setTimeout(() => void memphis.produce(name, 'late'), 150);
      assert.deepEqual(
        (await waiting).map((message) => message.text()),
        ['late'],
      );
      assert.ok(performance.now() - startedAt < 3_000);
      const emptyAt = performance.now();
      assert.deepEqual(await consumer.fetch({ batchMaxWaitMs: 200 }), []);
      assert.ok(performance.now() - emptyAt >= 190);
    });

    test('fewer messages wanted than partitions: a waiting fetch finds the one that has something', async () => {
      const name = await newStation({ partitionsNumber: 6 });
      await memphis.produce(name, 'x', { partition: 6 });
      assert.equal((await memphis.fetchMessages(name, { group: 'g', batchSize: 1, batchMaxWaitMs: 0 })).length, 1);
      const waiting = memphis.fetchMessages(name, { group: 'g', batchSize: 2, batchMaxWaitMs: 4_000 });
      setTimeout(() => void memphis.produce(name, 'y', { partition: 5 }), 100);
      assert.deepEqual(
        (await waiting).map((message) => message.text()),
        ['y'],
      );
    });

    test('ack, delay, nack and dead letter do what they say; the first decision wins', async () => {
      const name = await newStation();
      for (const text of ['a', 'b', 'c', 'd']) await memphis.produce(name, text);
      const [a, b, c, d] = await fetchAll(name);
      assert.ok(a && b && c && d);
      await a.ack();
      await assert.rejects(a.nack(), hasCode('ALREADY_SETTLED'));
      const delayedAt = performance.now();
      await b.delay(300);
      await c.nack();
      await d.deadLetter('unknown\r\ncustomer');
      const [again] = await fetchAll(name);
      assert.deepEqual([again?.text(), again?.deliveryCount], ['c', 2]);
      await again?.ack();
      const [late] = await fetchAll(name, 'g', { batchMaxWaitMs: 3_000 });
      assert.equal(late?.text(), 'b');
      assert.ok(performance.now() - delayedAt >= 290);
      await late?.ack();
      assert.deepEqual(await fetchAll(name), []);
      const [letter] = await readDeadLetters(broker.port, name);
      assert.equal(letter?.text, 'd');
      assert.equal(letter?.headers.$memphis_dls_reason, 'unknown customer');
    });

    test('a redelivery that was delayed before can be put back at once, without disturbing acked ones', async () => {
      const name = await newStation();
      for (const text of ['a', 'b', 'c']) await memphis.produce(name, text);
      const [a, b, c] = await fetchAll(name);
      await a?.ack();
      await b?.delay(50);
      await c?.ack();
      const [second] = await fetchAll(name, 'g', { batchMaxWaitMs: 2_000 });
      await second?.nack();
      const [third] = await fetchAll(name, 'g', { batchMaxWaitMs: 2_000 });
      assert.deepEqual([third?.text(), third?.deliveryCount], ['b', 3]);
    });

    test('a message not settled in time comes back; in progress keeps it', async () => {
      const name = await newStation();
      await memphis.produce(name, 'x');
      const options = { maxAckTimeMs: 400 };
      const [first] = await fetchAll(name, 'g', options);
      for (let i = 0; i < 4; i++) {
        await new Promise((resolve) => setTimeout(resolve, 200));
        await first?.inProgress();
      }
      assert.deepEqual(await fetchAll(name, 'g', options), [], 'still held after twice the time to settle');
      const [again] = await fetchAll(name, 'g', { ...options, batchMaxWaitMs: 3_000 });
      assert.equal(again?.deliveryCount, 2);
    });

    test('groups read on their own; a destroyed group begins anew', async () => {
      const name = await newStation();
      await memphis.produce(name, 'x');
      for (const group of ['one', 'two']) {
        const [message] = await fetchAll(name, group);
        await message?.ack();
        assert.deepEqual(await fetchAll(name, group), []);
      }
      const consumer = await memphis.createConsumer(name, { group: 'one' });
      await consumer.destroy();
      await assert.rejects(consumer.fetch(), hasCode('CLOSED'));
      assert.equal((await fetchAll(name, 'one')).length, 1);
    });

    test('with sendPoisonMsgToDls off a dead letter is dropped', async () => {
      const name = await newStation({ sendPoisonMsgToDls: false });
      await memphis.produce(name, 'x');
      const [message] = await fetchAll(name);
      await message?.deadLetter('no');
      assert.deepEqual(await readDeadLetters(broker.port, name), []);
      assert.deepEqual(await fetchAll(name), []);
    });

    test('the largest message that is taken can be dead-lettered whole, one byte more is refused', async () => {
      const name = await newStation();
      const overhead = await memphis.produce(name, new Uint8Array(2 * 1024 * 1024)).then(
        () => assert.fail('too large'),
        (error: unknown) => {
          hasCode('PAYLOAD_TOO_LARGE')(error);
          return Number(/dead letter's take (\d+)/.exec(String(error))?.[1]);
        },
      );
      // an id of our own differs in length by a few characters
      const largest = 1_048_576 - overhead - 20;
      await memphis.produce(name, new Uint8Array(largest).fill(120));
      await assert.rejects(
        memphis.produce(name, new Uint8Array(1_048_576 - overhead + 100)),
        hasCode('PAYLOAD_TOO_LARGE'),
      );
      const [message] = await fetchAll(name);
      await message?.deadLetter('e'.repeat(5_000));
      const [letter] = await readDeadLetters(broker.port, name);
      assert.equal(letter?.text.length, largest);
    });

    test('what cannot be sent, named or found is a typed error', async () => {
      const name = await newStation();
      for (const message of [7, null, undefined, true, Symbol('x')]) {
        await assert.rejects(memphis.produce(name, message as never), hasCode('INVALID_MESSAGE'));
      }
      const circular: Record<string, unknown> = {};
      circular.self = circular;
      await assert.rejects(memphis.produce(name, circular), hasCode('INVALID_MESSAGE'));
      await assert.rejects(memphis.produce(name, 'x', { headers: { $memphis_x: '1' } }), hasCode('INVALID_MESSAGE'));
      await assert.rejects(memphis.produce(name, 'x', { msgID: 'x' } as never), hasCode('INVALID_OPTION'));
      await assert.rejects(memphis.produce(name, 'x', { msgId: '  ' }), hasCode('INVALID_OPTION'));
      await assert.rejects(memphis.createStation('a$b'), hasCode('INVALID_NAME'));
      await assert.rejects(memphis.createStation('a', { replicas: 3, storageType: 'memory' }), hasCode('UNSUPPORTED'));
      await assert.rejects(
        memphis.createStation('b', { retentionValue: 1, idempotencyWindowMs: 5_000 }),
        hasCode('INVALID_OPTION'),
      );
      await assert.rejects(memphis.createConsumer(name), hasCode('INVALID_OPTION'));
      await assert.rejects(
        memphis.fetchMessages('nowhere', { group: 'g', batchMaxWaitMs: 0 }),
        hasCode('STATION_NOT_FOUND'),
      );
      assert.deepEqual(await fetchAll(name), []);
    });

    test('a station made by other tools in the same layout is found without a record', async () => {
      const name = await newStation({ partitionsNumber: 2 });
      const { openLean } = await import('../../src/connection/lean/session.ts');
      const raw = openLean({ server: `127.0.0.1:${broker.port}`, name: 'test', timeoutMs: 1_000 });
      const body = { name: 'foreign$1', subjects: ['foreign$1.>'], storage: 'memory' };
      await raw.request('$JS.API.STREAM.CREATE.foreign$1', new TextEncoder().encode(JSON.stringify(body)), {
        timeoutMs: 2_000,
      });
      await raw.close();
      assert.equal((await memphis.produce('foreign', 'x')).partition, 1);
      const [message] = await fetchAll('foreign');
      await message?.deadLetter('made on first use');
      assert.equal((await readDeadLetters(broker.port, 'foreign')).length, 1);
      assert.ok(name);
    });
  });
}

test('a server without JetStream is a typed error', async () => {
  await using broker = await startBroker({ jetstream: false });
  const memphis = await connect({ servers: [broker.url] });
  const startedAt = performance.now();
  await assert.rejects(memphis.createStation('a'), hasCode('JETSTREAM_UNAVAILABLE'));
  assert.ok(performance.now() - startedAt < 2_000, 'INFO says so: no patience is wasted');
  await memphis.close();
});

test('a broker whose storage limit is reached refuses, and nothing is lost of what it has', async () => {
  await using broker = await startBroker({ maxMemoryBytes: 65_536 });
  const memphis = await connect({ servers: [broker.url] });
  await memphis.createStation('small', { storageType: 'memory' });
  let stored = 0;
  await assert.rejects(
    (async () => {
      for (; stored < 200; stored++) await memphis.produce('small', new Uint8Array(4_000), { ackWaitMs: 2_000 });
    })(),
    hasCode('STORAGE_FULL'),
  );
  assert.ok(stored > 0);
  assert.equal(
    (await memphis.fetchMessages('small', { group: 'g', batchSize: 500, batchMaxWaitMs: 0 })).length,
    stored,
  );
  await memphis.close();
});

test('a client declared with `await using` is closed at the end of its block', async () => {
  await using broker = await startBroker();
  let left: Client;
  {
    await using memphis = await connect({ servers: [broker.url] });
    left = memphis;
    await memphis.createStation('used');
  }
  await assert.rejects(left.produce('used', 'x'), (error) => isMemphisError(error, 'CLOSED'));
});

test('nothing of the client keeps the process alive or acts after close', async () => {
  await using broker = await startBroker();
  const memphis = await connect({ servers: [broker.url] });
  await memphis.createStation('a', { storageType: 'memory' });
  await memphis.produce('a', 'x');
  await memphis.close();
  assert.equal(memphis.isConnected(), false);
  await assert.rejects(memphis.produce('a', 'x'), hasCode('CLOSED'));
});
