/** Every option of `createStation` on real servers: each does what it says, or is a typed error. */

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Client, connect, type ErrorCode, type Message, type StationOptions } from '../../src/index.ts';
import { type RunningBroker, startBroker } from '../../src/testing/start-broker.ts';
import { readDeadLetters } from '../support/dead-letters.ts';
import { hasCode } from '../support/has-code.ts';
import { withRawApi } from '../support/raw-api.ts';
import { serversUnderTest } from '../support/servers.ts';

for (const { binary, version } of serversUnderTest()) {
  describe(`options of createStation on nats-server ${version}`, () => {
    let broker: RunningBroker;
    let memphis: Client;
    let made = 0;
    const newStation = async (options: StationOptions = {}): Promise<string> => {
      const name = `o.${++made}`;
      await memphis.createStation(name, { storageType: 'memory', ...options });
      return name;
    };
    const fetchAll = (station: string, group = 'g', options: Record<string, unknown> = {}): Promise<Message[]> =>
      memphis.fetchMessages(station, { group, batchSize: 1_000, batchMaxWaitMs: 0, ...options });
    const texts = async (station: string, group = 'g'): Promise<string[]> =>
      (await fetchAll(station, group)).map((message) => message.text());
    const configOf = (stream: string): Promise<Record<string, unknown>> =>
      withRawApi(broker.port, async (api) => (await api(`STREAM.INFO.${stream}`)).config as Record<string, unknown>);

    before(async () => {
      broker = await startBroker({ binary });
      memphis = await connect({ servers: [broker.url] });
    });
    after(async () => {
      await memphis.close();
      await broker.stop();
    });

    test('messages go when they are older than message_age_sec', async () => {
      const name = await newStation({ retentionType: 'message_age_sec', retentionValue: 1 });
      await memphis.produce(name, 'old');
      await sleep(1_500);
      for (let tries = 0; tries < 20 && (await texts(name, `g${tries}`)).length > 0; tries++) await sleep(250);
      await memphis.produce(name, 'new');
      assert.deepEqual(await texts(name, 'last'), ['new']);
    });

    test('the newest of a number of messages are kept, for each partition', async () => {
      const name = await newStation({ retentionType: 'messages', retentionValue: 3, partitionsNumber: 2 });
      for (let i = 0; i < 10; i++) await memphis.produce(name, String(i), { partition: 1 + (i % 2) });
      assert.deepEqual((await texts(name)).sort(), ['4', '5', '6', '7', '8', '9']);
    });

    test('the newest of a number of bytes are kept', async () => {
      const name = await newStation({ retentionType: 'bytes', retentionValue: 4_000 });
      for (let i = 0; i < 10; i++) await memphis.produce(name, `${i}`.padEnd(1_000));
      const kept = (await texts(name)).map((text) => text.trim());
      assert.deepEqual(kept, ['7', '8', '9']);
    });

    test('ack_based keeps a message until each group has acked it, and what nobody waits for not at all', async () => {
      const name = await newStation({ retentionType: 'ack_based' });
      await memphis.produce(name, 'nobody');
      assert.deepEqual(await texts(name, 'one'), []);
      assert.deepEqual(await texts(name, 'two'), []);
      await memphis.produce(name, 'both');
      for (const group of ['one', 'two']) {
        const [message] = await fetchAll(name, group);
        assert.equal(message?.text(), 'both');
        await message?.ack();
      }
      const state = await withRawApi(broker.port, async (api) => {
        const stream = `${name.replace('.', '#')}$1`;
        for (let tries = 0; tries < 50; tries++) {
          const { messages } = (await api(`STREAM.INFO.${stream}`)).state as { messages: number };
          if (messages === 0) return messages;
          await sleep(50);
        }
        return 'still there';
      });
      assert.equal(state, 0);
    });

    test('storage, replicas and number of partitions are those of the streams', async () => {
      await memphis.createStation('disk', { storageType: 'file', partitionsNumber: 40 });
      const config = await configOf('disk$40');
      assert.deepEqual([config.storage, config.num_replicas], ['file', 1]);
      assert.equal((await memphis.produce('disk', 'x', { partition: 40 })).partition, 40);
      await assert.rejects(memphis.produce('disk', 'x', { partition: 41 }), hasCode('PARTITION_NOT_FOUND'));
    });

    test('the largest values are taken', async () => {
      const most = 2_147_483_647;
      for (const retentionType of ['message_age_sec', 'messages'] as const) {
        const name = await newStation({ retentionType, retentionValue: most, idempotencyWindowMs: 86_400_000 });
        assert.equal((await memphis.produce(name, 'x')).sequence, 1);
      }
    });

    test('the idempotency window is cut to a shorter retention unless it is stated', async () => {
      const windows = [];
      for (const options of [{ retentionValue: 60 }, { retentionValue: 60, idempotencyWindowMs: 500 }, {}]) {
        const name = await newStation(options);
        windows.push((await configOf(`${name.replace('.', '#')}$1`)).duplicate_window);
      }
      assert.deepEqual(windows, [60e9, 0.5e9, 120e9]);
    });

    test('a message id is forgotten when the window is over', async () => {
      const name = await newStation({ idempotencyWindowMs: 100 });
      assert.equal((await memphis.produce(name, 'a', { msgId: 'm' })).duplicate, false);
      let again = true;
      for (let tries = 0; tries < 40 && again; tries++) {
        await sleep(250);
        again = (await memphis.produce(name, 'b', { msgId: 'm' })).duplicate;
      }
      assert.equal(again, false);
    });

    test('a linked station gets a copy of each dead letter, which the dead letters have as well', async () => {
      const linked = `linked.${made}`;
      const name = await newStation({ dlsStation: linked.toUpperCase() });
      assert.deepEqual(await fetchAll(linked), [], 'made together with the station that names it');
      const headers = { a: 'b', station: 'mine', type: 'mine' };
      await memphis.produce(name, 'bad', { headers, msgId: 'id-1' });
      const [message] = await fetchAll(name);
      await message?.deadLetter('why');
      const [copy, ...more] = await fetchAll(linked);
      assert.deepEqual(more, []);
      assert.equal(copy?.text(), 'bad');
      assert.deepEqual(copy?.headers, { a: 'b', 'msg-id': 'id-1', station: name, type: 'unacked' });
      assert.equal((await readDeadLetters(broker.port, name)).length, 1);
      assert.deepEqual(await fetchAll(name), []);
    });

    test('two deliveries of one message leave one copy, the same message of two groups two', async () => {
      const name = await newStation({ dlsStation: 'linked-twice' });
      await memphis.produce(name, 'bad');
      const early = await fetchAll(name, 'one', { maxAckTimeMs: 200 });
      const late = await fetchAll(name, 'one', { maxAckTimeMs: 200, batchMaxWaitMs: 5_000 });
      assert.deepEqual([early[0]?.deliveryCount, late[0]?.deliveryCount], [1, 2]);
      await late[0]?.deadLetter('why');
      await early[0]?.deadLetter('why');
      const [other] = await fetchAll(name, 'two');
      await other?.deadLetter('why');
      assert.equal((await fetchAll('linked-twice')).length, 2);
    });

    test('a linked station keeps its own settings, and is made anew when it is gone', async () => {
      await memphis.createStation('linked-own', { storageType: 'memory', partitionsNumber: 3 });
      const name = await newStation({ dlsStation: 'linked-own' });
      for (const text of ['a', 'b']) await memphis.produce(name, text);
      const [a, b] = await fetchAll(name);
      await a?.deadLetter('why');
      assert.equal((await fetchAll('linked-own')).length, 1);
      await memphis.station('linked-own').destroy();
      await b?.deadLetter('why');
      assert.deepEqual(await texts('linked-own'), ['b']);
      assert.deepEqual(await fetchAll(name), []);
    });

    test('a linked station that somebody else has removed is made anew', async () => {
      const name = await newStation({ dlsStation: 'linked-removed' });
      for (const text of ['a', 'b']) await memphis.produce(name, text);
      const [a, b] = await fetchAll(name);
      await a?.deadLetter('why'); // from here on it is known
      const somebody = await connect({ servers: [broker.url] });
      await somebody.station('linked-removed').destroy();
      await somebody.close();
      await b?.deadLetter('why');
      assert.deepEqual(await texts('linked-removed'), ['b']);
      assert.equal((await memphis.describeStation('linked-removed')).isOurs, true);
    });

    test('without room for both nothing is terminated', async () => {
      const name = await newStation({ dlsStation: 'linked-small' });
      await memphis.station('linked-small').destroy();
      const small = {
        name: 'linked-small$1',
        subjects: ['linked-small$1.>'],
        max_bytes: 10,
        discard: 'new',
        storage: 'memory',
      };
      await withRawApi(broker.port, (api) => api('STREAM.CREATE.linked-small$1', small));
      await memphis.produce(name, 'x'.repeat(100));
      const [message] = await fetchAll(name, 'g', { maxAckTimeMs: 300 });
      await assert.rejects(message?.deadLetter('why') ?? Promise.resolve(), hasCode('SETTLE_UNCONFIRMED'));
      assert.deepEqual(await readDeadLetters(broker.port, name), []);
      const [again] = await fetchAll(name, 'g', { maxAckTimeMs: 300, batchMaxWaitMs: 5_000 });
      assert.equal(again?.deliveryCount, 2);
    });

    test('with sendPoisonMsgToDls off no copy is made either', async () => {
      const name = await newStation({ sendPoisonMsgToDls: false, dlsStation: 'linked-off' });
      await memphis.produce(name, 'bad');
      const [message] = await fetchAll(name);
      await message?.deadLetter('why');
      assert.deepEqual(await fetchAll('linked-off'), []);
    });

    test('the largest message fits into the linked station, and from there into its dead letters', async () => {
      const name = await newStation({ dlsStation: 'linked-large' });
      await memphis.produce(name, new Uint8Array(1_048_576 - 1_200).fill(120));
      const [message] = await fetchAll(name);
      await message?.deadLetter('e'.repeat(5_000));
      const [copy] = await fetchAll('linked-large');
      assert.equal(copy?.data.length, 1_048_576 - 1_200);
      await copy?.deadLetter('e'.repeat(5_000));
      assert.equal((await readDeadLetters(broker.port, 'linked-large'))[0]?.text.length, 1_048_576 - 1_200);
    });

    test('on a station that exists already nothing is made for its options', async () => {
      const name = await newStation();
      await memphis.createStation(name, { dlsStation: 'linked-late' });
      await assert.rejects(memphis.produce('linked-late', 'x'), hasCode('STATION_NOT_FOUND'));
    });

    const wrong: readonly (readonly [Record<string, unknown>, ErrorCode])[] = [
      [{ partitionsNumber: 0 }, 'INVALID_OPTION'],
      [{ partitionsNumber: 10_001 }, 'INVALID_OPTION'],
      [{ partitionsNumber: 1.5 }, 'INVALID_OPTION'],
      [{ partitionsNumber: '2' }, 'INVALID_OPTION'],
      [{ retentionType: 'MAX_MESSAGE_AGE_SECONDS' }, 'INVALID_OPTION'],
      [{ retentionType: '' }, 'INVALID_OPTION'],
      [{ retentionValue: 0 }, 'INVALID_OPTION'],
      [{ retentionValue: 2_147_483_648 }, 'INVALID_OPTION'],
      [{ storageType: 'disk' }, 'INVALID_OPTION'],
      [{ replicas: 0 }, 'INVALID_OPTION'],
      [{ replicas: 6 }, 'INVALID_OPTION'],
      [{ replicas: 3 }, 'UNSUPPORTED'],
      [{ idempotencyWindowMs: 99 }, 'INVALID_OPTION'],
      [{ idempotencyWindowMs: 86_400_001 }, 'INVALID_OPTION'],
      [{ retentionValue: 1, idempotencyWindowMs: 1_001 }, 'INVALID_OPTION'],
      [{ schemaName: 'orders' }, 'SCHEMA_NOT_FOUND'],
      [{ schemaName: 7 }, 'INVALID_OPTION'],
      [{ sendPoisonMsgToDls: 'yes' }, 'INVALID_OPTION'],
      [{ sendSchemaFailedMsgToDls: 1 }, 'INVALID_OPTION'],
      [{ dlsStation: 'wrong' }, 'INVALID_OPTION'],
      [{ dlsStation: 'WRONG' }, 'INVALID_OPTION'],
      [{ dlsStation: null }, 'INVALID_OPTION'],
      [{ dlsStation: 'a$b' }, 'INVALID_NAME'],
      [{ tieredStorageEnabled: true }, 'UNSUPPORTED'],
      [{ tieredStorageEnabled: 'no' }, 'INVALID_OPTION'],
      [{ partitions: 2 }, 'INVALID_OPTION'],
    ];
    test('a server without a cluster says that replicas need one', async () => {
      await assert.rejects(memphis.createStation('wrong', { replicas: 3 }), /no 3 servers .* Ask for fewer replicas/);
    });

    for (const [options, expected] of wrong) {
      test(`${JSON.stringify(options)} is refused, and nothing is made`, async () => {
        await assert.rejects(memphis.createStation('wrong', options as StationOptions), hasCode(expected));
        await assert.rejects(memphis.produce('wrong', 'x'), hasCode('STATION_NOT_FOUND'));
      });
    }

    test('more streams than the account may have are STORAGE_FULL', async () => {
      const config = 'accounts { A { jetstream: { max_streams: 4 }, users: [{ user: a, password: x }] } }';
      await using small = await startBroker({ binary, config });
      const client = await connect({ servers: [small.url], username: 'a', password: 'x' });
      try {
        await client.createStation('first', { storageType: 'memory' });
        await assert.rejects(client.createStation('second', { storageType: 'memory' }), hasCode('STORAGE_FULL'));
        await client.station('second').destroy();
        assert.deepEqual(await client.listStations(), [{ name: 'first', isOurs: true }]);
      } finally {
        await client.close();
      }
    });

    test('bytes beyond what the broker has are STORAGE_FULL', async () => {
      await using small = await startBroker({ binary, maxStoreBytes: 1_000_000 });
      const client = await connect({ servers: [small.url] });
      try {
        const options = { retentionType: 'bytes', retentionValue: 2_000_000 } as const;
        await assert.rejects(client.createStation('big', options), hasCode('STORAGE_FULL'));
      } finally {
        await client.close();
      }
    });
  });
}
