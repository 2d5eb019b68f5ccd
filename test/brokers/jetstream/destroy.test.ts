/** Removing stations: everything of theirs goes, also when an earlier removal or making was cut off. */

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type Client, connect, isMemphisError } from '../../../src/index.ts';
import { type RunningBroker, startBroker } from '../../../src/testing/start-broker.ts';
import { withRawApi } from '../../support/raw-api.ts';
import { serversUnderTest } from '../../support/servers.ts';

for (const { binary, version } of serversUnderTest()) {
  describe(`removing stations on nats-server ${version}`, () => {
    let broker: RunningBroker;
    let memphis: Client;
    const streams = (): Promise<string[]> =>
      withRawApi(broker.port, async (api) => ((await api('STREAM.NAMES')).streams as string[] | null) ?? []);
    const notFound = (error: unknown): boolean => isMemphisError(error, 'STATION_NOT_FOUND');
    /** With two partitions, a dead letter, a parked message, and notes of deliveries that do not count. */
    const makeUsed = async (name: string): Promise<void> => {
      await memphis.createStation(name, { storageType: 'memory', partitionsNumber: 2 });
      for (const text of ['a', 'b']) await memphis.produce(name, text, { partition: 1 });
      const options = { group: 'g', batchMaxWaitMs: 1_000, maxAckTimeMs: 1_000 };
      const [dead, parked] = await memphis.fetchMessages(name, options);
      await dead?.deadLetter('x');
      await parked?.delay(3_600_000);
    };

    before(async () => {
      broker = await startBroker({ binary });
      memphis = await connect({ servers: [broker.url] });
    });
    after(async () => {
      await memphis.close();
      await broker.stop();
    });

    test('partitions, dead letters, parked messages and the record go; others stay', async () => {
      await makeUsed('used');
      await makeUsed('used.too');
      assert.deepEqual(
        (await streams()).filter((name) => name.startsWith('used$')),
        ['used$1', 'used$2', 'used$dls', 'used$retry'],
      );
      await memphis.station('used').destroy();
      assert.deepEqual(
        (await streams()).filter((name) => name.startsWith('used')),
        ['used#too$1', 'used#too$2', 'used#too$dls', 'used#too$retry'],
      );
      assert.deepEqual(await memphis.listStations(), [{ name: 'used.too', isOurs: true }]);
      await assert.rejects(memphis.station('used').destroy(), notFound);
    });

    test('what a removal that was cut off has left goes with the next one', async () => {
      for (const left of [['cut$1'], ['cut$2'], ['cut$dls'], ['cut$retry'], ['cut$1', 'cut$retry'], []]) {
        await makeUsed('cut');
        await withRawApi(broker.port, async (api) => {
          // a record alone, or streams without one
          if (left.length > 0)
            await api('STREAM.PURGE.KV_memphis_serverless', { filter: '$KV.memphis_serverless.station.cut' });
          for (const stream of ['cut$1', 'cut$2', 'cut$dls', 'cut$retry']) {
            if (!left.includes(stream)) await api(`STREAM.DELETE.${stream}`);
          }
        });
        await memphis.station('cut').destroy();
        assert.deepEqual(
          (await streams()).filter((name) => name.startsWith('cut')),
          [],
        );
        await assert.rejects(memphis.station('cut').destroy(), notFound);
      }
    });

    test('a station that is made anew has no messages, letters, settings or notes of the old one', async () => {
      const options = { group: 'g', batchMaxWaitMs: 1_000, maxMsgDeliveries: 1 };
      await memphis.createStation('again', { storageType: 'memory', sendPoisonMsgToDls: false, partitionsNumber: 2 });
      await memphis.produce('again', 'old', { partition: 1 });
      // as a reader notes a message that was given back unseen on its last delivery
      await memphis.produce('again', 'other', { partition: 2 });
      await withRawApi(broker.port, async (api) => {
        const { state } = await api('STREAM.INFO.KV_memphis_serverless');
        assert.ok(state !== undefined);
      });
      const { openLean } = await import('../../../src/connection/lean/session.ts');
      const raw = openLean({ server: `127.0.0.1:${broker.port}`, name: 'test', timeoutMs: 1_000 });
      const subject = '$KV.memphis_serverless.credit.again$1.g.1';
      await raw.request(subject, new TextEncoder().encode('5'), { timeoutMs: 2_000 });
      await raw.close();
      await memphis.station('again').destroy();

      await memphis.createStation('again', { storageType: 'memory' });
      assert.deepEqual(await memphis.fetchMessages('again', { ...options, batchMaxWaitMs: 0 }), []);
      await memphis.produce('again', 'new');
      const settings = { ...options, maxAckTimeMs: 200 };
      const [message] = await memphis.fetchMessages('again', settings);
      assert.equal(message?.text(), 'new');
      await new Promise((resolve) => setTimeout(resolve, 400));
      assert.deepEqual(await memphis.fetchMessages('again', settings), [], 'its one delivery was used up');
      assert.equal(await memphis.deadLetters('again').count(), 1);
    });

    test('a stream of others that only has the name is no station, and is left alone with its dead letters', async () => {
      await withRawApi(broker.port, async (api) => {
        for (const [name, subjects] of [
          ['bound', ['elsewhere.>']],
          ['bound$dls', ['bound$dls.>']],
          ['namesake', ['namesake.eu.>']],
        ]) {
          assert.equal((await api(`STREAM.CREATE.${name}`, { name, subjects, storage: 'memory' })).error, undefined);
        }
      });
      for (const run of [
        () => memphis.station('bound').destroy(),
        () => memphis.describeStation('bound'),
        () => memphis.produce('bound', 'x'),
        () => memphis.createConsumer('bound', { group: 'g' }),
      ]) {
        await assert.rejects(run, notFound);
      }
      await memphis.createStation('namesake', { storageType: 'memory' });
      assert.equal((await memphis.produce('namesake', 'x')).partition, 1);
      await memphis.station('namesake').destroy();
      assert.deepEqual(
        (await streams()).filter((name) => /^(bound|namesake)/.test(name)),
        ['bound', 'bound$dls', 'namesake'],
      );
    });

    test('two who remove one station at the same time both succeed, or one hears that it is gone', async () => {
      await makeUsed('both');
      const ends = await Promise.allSettled([1, 2, 3].map(() => memphis.station('both').destroy()));
      assert.ok(ends.some(({ status }) => status === 'fulfilled'));
      for (const end of ends) if (end.status === 'rejected') assert.ok(notFound(end.reason), String(end.reason));
      assert.deepEqual(
        (await streams()).filter((name) => name.startsWith('both')),
        [],
      );
    });

    test('those who make one station at the same time all succeed, and it is made once', async () => {
      const others = await Promise.all([1, 2, 3, 4, 5].map(() => connect({ servers: [broker.url] })));
      for (let round = 0; round < 20; round++) {
        const options = { storageType: round % 2 === 0 ? 'memory' : 'file', partitionsNumber: 20 } as const;
        await Promise.all([memphis, ...others].map((client) => client.createStation(`race${round}`, options)));
        const { partitions, isOurs } = await memphis.describeStation(`race${round}`);
        assert.deepEqual([partitions.length, isOurs], [20, true]);
      }
      await Promise.all(others.map((client) => client.close()));
    });
  });
}
