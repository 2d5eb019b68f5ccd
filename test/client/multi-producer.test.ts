/** Producers of several stations, on real servers: all or a typed error that says what is stored where. */

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type Client, connect, isMemphisError, type MemphisError } from '../../src/index.ts';
import { type RunningBroker, startBroker } from '../../src/testing/start-broker.ts';
import { countStored, makeFullStation } from '../support/full-station.ts';
import { serversUnderTest } from '../support/servers.ts';

for (const { binary, version } of serversUnderTest()) {
  describe(`producers of several stations on nats-server ${version}`, () => {
    let broker: RunningBroker;
    let memphis: Client;
    let made = 0;
    const newStation = async (partitionsNumber = 1): Promise<string> => {
      const name = `s${++made}`;
      await memphis.createStation(name, { storageType: 'memory', partitionsNumber });
      return name;
    };
    const newFullStation = async (messages: number): Promise<string> => {
      const name = `full${++made}`;
      await makeFullStation(broker.port, name, messages);
      return name;
    };
    const notAll = (stored: readonly string[], failed: readonly string[]) => (error: unknown) => {
      assert.ok(isMemphisError(error, 'NOT_ALL_STORED'), String(error));
      assert.deepEqual(
        error.receipts?.map((receipt) => receipt.station),
        stored,
      );
      assert.deepEqual(
        error.failures?.map((failure) => [failure.station, failure.error.code]),
        failed.map((station) => [station, 'STORAGE_FULL']),
      );
      for (const station of [...stored, ...failed]) assert.match(error.message, new RegExp(station));
      return true;
    };

    before(async () => {
      broker = await startBroker({ binary });
      memphis = await connect({ servers: [broker.url] });
    });
    after(async () => {
      await memphis.close();
      await broker.stop();
    });

    test('one produce stores in all, with a receipt for each in the order of the stations', async () => {
      const [one, three] = [await newStation(), await newStation(3)];
      const producer = await memphis.createProducer([three.toUpperCase(), one], { name: 'api' });
      assert.deepEqual(producer.stations, [three, one]);
      assert.deepEqual(await producer.produce('a', { msgId: 'x', partitionKey: 'key' }), [
        { station: three, partition: 2, sequence: 1, duplicate: false },
        { station: one, partition: 1, sequence: 1, duplicate: false },
      ]);
      const again = await producer.produce('a', { msgId: 'x', partitionKey: 'key' });
      assert.deepEqual(
        again.map((receipt) => receipt.duplicate),
        [true, true],
      );
      assert.deepEqual(await countStored(broker.port, one), [1]);
    });

    test('copies of one message that have no room together go one after another, also behind one that failed', {
      timeout: 60_000,
    }, async () => {
      const stations = await Promise.all(Array.from({ length: 10 }, () => newStation()));
      const full = await newFullStation(1);
      await memphis.produce(full, 'fills it');
      const large = new Uint8Array(1_000_000); // ten of them are more than a producer has under way
      const producer = await memphis.createProducer(stations);
      const [stored] = await producer.produceBatch([large]);
      assert.ok(stored?.ok && stored.receipt.length === 10);
      const withFull = await memphis.createProducer([full, ...stations]);
      const [failed] = await withFull.produceBatch([large]);
      assert.ok(failed?.ok === false && notAll(stations, [full])(failed.error));
    });

    test('a station that fails is named beside those that stored, and a repeat stores what is missing alone', async () => {
      const [good, full] = [await newStation(), await newFullStation(1)];
      await memphis.produce(full, 'fills it');
      const producer = await memphis.createProducer([good, full]);
      await assert.rejects(producer.produce('a', { msgId: 'x' }), notAll([good], [full]));
      await assert.rejects(producer.produce('a', { msgId: 'x' }), notAll([good], [full]));
      assert.deepEqual(await countStored(broker.port, good), [1]);
    });

    test('stations that fail all are one error too', async () => {
      const stations = [await newFullStation(1), await newFullStation(1)];
      for (const station of stations) await memphis.produce(station, 'fills it');
      await assert.rejects((await memphis.createProducer(stations)).produce('a'), notAll([], stations));
    });

    test('what cannot be sent to one is sent to none', async () => {
      const [one, three] = [await newStation(), await newStation(3)];
      const producer = await memphis.createProducer([three, one]);
      await assert.rejects(producer.produce('a', { partition: 3 }), { code: 'PARTITION_NOT_FOUND', station: one });
      await assert.rejects(producer.produce(new Uint8Array(1_048_576)), { code: 'PAYLOAD_TOO_LARGE' });
      await assert.rejects(producer.produce('a', { headers: { 'Nats-X': '1' } }), { code: 'INVALID_MESSAGE' });
      assert.deepEqual(await countStored(broker.port, three, 3), [0, 0, 0]);
    });

    test('names are checked before anything else, and each station must be there', async () => {
      const one = await newStation();
      await assert.rejects(memphis.createProducer([one, 'no way']), { code: 'INVALID_NAME' });
      await assert.rejects(memphis.createProducer([]), { code: 'INVALID_OPTION' });
      await assert.rejects(memphis.createProducer([one, one.toUpperCase()]), { code: 'INVALID_OPTION' });
      await assert.rejects(memphis.createProducer([one, 'nowhere']), { code: 'STATION_NOT_FOUND', station: 'nowhere' });
      await assert.rejects(memphis.createProducer([one, 7 as never]), { code: 'INVALID_NAME' });
    });

    test('without waiting, each station that fails is told on its own', async () => {
      const [good, full] = [await newStation(), await newFullStation(1)];
      await memphis.produce(full, 'fills it');
      const taken: [string, MemphisError['code']][] = [];
      const producer = await memphis.createProducer([good, full], {
        onError: (error, { station }) => taken.push([station, error.code]),
      });
      assert.deepEqual(await producer.produce('a', { async: true }), [
        { station: good, partition: 1 },
        { station: full, partition: 1 },
      ]);
      await producer.destroy();
      assert.deepEqual(taken, [[full, 'STORAGE_FULL']]);
      assert.deepEqual(await countStored(broker.port, good), [1]);
    });

    test('a message of a batch is done when all stations have it', async () => {
      const [good, full] = [await newStation(), await newFullStation(1)];
      const producer = await memphis.createProducer([good, full]);
      const [first, second] = await producer.produceBatch(['a', 'b']);
      assert.deepEqual(first?.ok && first.receipt.map((receipt) => receipt.station), [good, full]);
      assert.ok(second?.ok === false && notAll([good], [full])(second.error));
    });
  });
}
