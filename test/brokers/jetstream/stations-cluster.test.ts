/** Stations and dead letters on a cluster: replicas, and a leader that dies while dead letters are put back. */

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type Client, connect, isMemphisError } from '../../../src/index.ts';
import { type Cluster, startCluster } from '../../support/cluster.ts';
import { serversUnderTest } from '../../support/servers.ts';

for (const { binary, version } of serversUnderTest()) {
  describe(`stations on a cluster of nats-server ${version}`, () => {
    let cluster: Cluster;
    let memphis: Client;
    before(async () => {
      cluster = await startCluster(binary);
      memphis = await connect({ servers: [...cluster.urls] });
    });
    after(async () => {
      await memphis.close();
      await cluster.stop();
    });

    test('more replicas than servers are UNSUPPORTED, and nothing is made', async () => {
      await assert.rejects(memphis.createStation('too-many', { replicas: 5 }), (error) =>
        isMemphisError(error, 'UNSUPPORTED'),
      );
      assert.deepEqual(await memphis.listStations(), []);
    });

    test('replicas are those of all streams of a station, its dead letters and record included', async () => {
      await memphis.createStation('safe', { replicas: 3, partitionsNumber: 2, dlsStation: 'safe-too' });
      assert.equal((await memphis.describeStation('safe')).settings.replicas, 3);
      // the bucket was made for the linked station, which has one
      for (const stream of ['safe$1', 'safe$2', 'safe$dls', 'KV_memphis_serverless']) {
        const { config } = await cluster.api(`$JS.API.STREAM.INFO.${stream}`);
        assert.equal((config as { num_replicas: number }).num_replicas, 3, stream);
      }
    });

    test('while the leader of the dead letters dies they are listed and put back, none is lost', async () => {
      await memphis.createStation('jobs', { replicas: 3 });
      await Promise.all(Array.from({ length: 120 }, (_, index) => memphis.produce('jobs', String(index))));
      const options = { group: 'g', batchSize: 200, batchMaxWaitMs: 1_000, maxAckTimeMs: 60_000 };
      for (let left = 120; left > 0; ) {
        const batch = await memphis.fetchMessages('jobs', options);
        await Promise.all(batch.map((message) => message.deadLetter('why')));
        left -= batch.length;
      }
      const letters = memphis.deadLetters('jobs');
      assert.equal(await letters.count(), 120);
      const leader = await cluster.leaderOf('jobs$dls');
      let killed: Promise<void> | undefined;
      const onProgress = (): void => {
        killed ??= leader.kill();
      };
      const results = [...(await letters.redriveAll({ onProgress }))];
      await killed;
      for (let tries = 0; tries < 20 && (await letters.count()) > 0; tries++) {
        results.push(...(await letters.redriveAll()));
        // a copy that was stored unheard is a duplicate now: it came back already
        const duplicates = results.filter(({ outcome }) => outcome === 'duplicate').map(({ id }) => id);
        await letters.drop(duplicates);
      }
      const back = new Set<string>();
      for (let empty = 0; back.size < 120 && empty < 20; ) {
        const batch = await memphis.fetchMessages('jobs', { ...options, batchMaxWaitMs: 1_000 });
        if (batch.length === 0) empty++;
        for (const message of batch) back.add(message.text());
        await Promise.all(batch.map((message) => message.ack()));
      }
      assert.equal(back.size, 120);
      await leader.restart();
    });
  });
}
