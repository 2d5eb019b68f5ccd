/** Producing while a cluster of three elects: each message is stored once, none is lost, no call fails that patience heals. */

import assert from 'node:assert/strict';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { after, before, describe, test } from 'node:test';
import { connect, type ProduceResult } from '../../src/index.ts';
import { type Cluster, type ClusterNode, startCluster } from '../support/cluster.ts';
import { readStream } from '../support/cluster-streams.ts';
import { serversUnderTest } from '../support/servers.ts';

const TOTAL = 3_000;

for (const { binary, version } of serversUnderTest()) {
  describe(`producing on a cluster of nats-server ${version}`, () => {
    let cluster: Cluster;
    before(async () => {
      cluster = await startCluster(binary);
    });
    after(() => cluster.stop());

    /** Produces batch and single messages over a station's only stream while something happens to its leader. */
    async function produceThrough(
      station: string,
      from: 'leader' | 'another node',
      happen: (leader: ClusterNode, produceOne: () => Promise<unknown>) => Promise<unknown>,
    ): Promise<void> {
      const anyNode = await connect({ servers: cluster.urls });
      await anyNode.createStation(station, { replicas: 3 });
      const leader = await cluster.leaderOf(`${station}$1`);
      const others = cluster.nodes.filter((node) => node !== leader);
      const first = from === 'leader' ? [leader, ...others] : others;
      const memphis = await connect({ servers: first.map((node) => node.url), timeoutMs: 2_000 });
      const producer = await memphis.createProducer(station, { ackWaitMs: 30_000 });

      let repeated = 0;
      const onRetry = (): void => void repeated++;
      subscribe('memphis-serverless:retry', onRetry);
      const texts = Array.from({ length: TOTAL }, (_, i) => `message ${i}`);
      const batch = producer.produceBatch(texts);
      const marker = await producer.produce('marker'); // its answer comes among those of the batch
      const single: string[] = [];
      const produceOne = (): Promise<unknown> => {
        const text = `single ${single.length}`;
        single.push(text);
        return producer.produce(text, { msgId: text });
      };
      await happen(leader, produceOne);
      await produceOne();
      await producer.produce('async', { async: true });
      const results: readonly ProduceResult[] = await batch;
      await memphis.close();
      unsubscribe('memphis-serverless:retry', onRetry);

      assert.ok(marker.sequence > 0);
      // a new leader may be there before anybody has missed the old one that stepped down
      assert.ok(repeated > 0 || station === 'stepped', 'it was in the middle');
      assert.deepEqual(
        results.filter((result) => !result.ok),
        [],
      );
      // by its leader, message by message: on 2.9 a group that is made after a freeze may be given less than the stream holds
      const stored = [...(await readStream(cluster, `${station}$1`))];
      const expected = [...texts, ...single, 'marker', 'async'];
      assert.equal(stored.length, expected.length, 'each is stored once');
      assert.deepEqual(stored.sort(), expected.sort());
      await anyNode.close();
    }

    test('its leader is killed, seen from another node', () =>
      produceThrough('killed', 'another node', async (leader) => {
        leader.freeze(); // at once: killing takes a moment
        await leader.kill();
        setTimeout(() => void leader.restart(), 8_000);
      }));

    test('the node that it is connected to leads, and is killed', async () => {
      await Promise.all(cluster.nodes.filter((node) => node.pid === undefined).map((node) => node.restart()));
      await cluster.ready();
      await produceThrough('connected', 'leader', async (leader) => {
        leader.freeze();
        await leader.kill();
        await leader.restart();
      });
    });

    test('its leader is frozen, and comes back', async () => {
      await cluster.ready();
      await produceThrough('frozen', 'another node', async (leader) => {
        leader.freeze();
        setTimeout(() => leader.thaw(), 9_000);
      });
    });

    test('its leader steps down', async () => {
      await cluster.ready();
      await produceThrough('stepped', 'another node', async (_, produceOne) => {
        const stepping = cluster.stepDown('stepped$1').then(() => 'done');
        while ((await Promise.race([stepping, produceOne()])) !== 'done');
      });
    });
  });
}
