/** Producing and reading on a cluster with three replicas of everything, while its nodes and leaders come and go. */

import assert from 'node:assert/strict';
import { after, before, describe, type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from '../../src/index.ts';
import { type Cluster, type ClusterNode, startCluster } from '../support/cluster.ts';
import { readStream } from '../support/cluster-streams.ts';
import { Traffic } from '../support/cluster-traffic.ts';
import { serversUnderTest } from '../support/servers.ts';

/** A fault: what happens to the cluster while there is traffic on a station. */
type Fault = (cluster: Cluster, traffic: Traffic) => Promise<void>;

/** Waits until traffic has got over the loss of a node, and brings that back. */
async function comesBack(traffic: Traffic, node: ClusterNode): Promise<void> {
  await traffic.goesOn();
  await node.restart();
  await traffic.settled();
  await traffic.goesOn();
}

const streamsOf = ({ station }: Traffic): readonly string[] => [`${station}$1`, `${station}$2`];

/** Resolves when a node that was sent away has ended. */
async function hasEnded(node: ClusterNode): Promise<void> {
  for (const deadline = Date.now() + 60_000; node.pid !== undefined; await sleep(50)) {
    assert.ok(Date.now() < deadline, 'the node went');
  }
}

const faults: Readonly<Record<string, Fault>> = {
  'the leader of a stream is killed, and then that of a group': async (cluster, traffic) => {
    const leader = await cluster.leaderOf(`${traffic.station}$1`);
    traffic.burst(300);
    await leader.kill();
    await comesBack(traffic, leader);
    const ofGroup = await cluster.leaderOf(`${traffic.station}$2`, 'fetching');
    traffic.burst(300);
    await ofGroup.kill();
    await comesBack(traffic, ofGroup);
  },
  'the leader of a stream is frozen, and comes back when others have taken over': async (cluster, traffic) => {
    const leader = await cluster.leaderOf(`${traffic.station}$1`);
    traffic.burst(300);
    leader.freeze();
    await sleep(8_000);
    await traffic.goesOn();
    leader.thaw();
    await traffic.goesOn();
  },
  'leaders of streams and groups give way': async (cluster, traffic) => {
    for (const stream of streamsOf(traffic)) {
      traffic.burst(300);
      await cluster.stepDown(stream);
      await traffic.goesOn();
      for (const group of ['background', 'fetching']) {
        await cluster.stepDown(stream, group);
        await traffic.goesOn();
      }
    }
  },
  'each node is restarted in turn': async (cluster, traffic) => {
    for (const node of cluster.nodes) {
      await node.restart();
      await traffic.settled();
      await traffic.goesOn();
    }
  },
  'each node is sent away in turn as a lame duck': async (cluster, traffic) => {
    for (const node of cluster.nodes) {
      node.lameDuck();
      await hasEnded(node);
      await comesBack(traffic, node);
    }
  },
};

for (const { binary, version } of serversUnderTest()) {
  describe(`a cluster of nats-server ${version}`, () => {
    let cluster: Cluster;
    before(async () => {
      cluster = await startCluster(binary);
    });
    after(() => cluster.stop());

    for (const [index, [name, fault]] of Object.entries(faults).entries()) {
      test(`while ${name}, each message is stored once and handled, and no call fails`, async (t: TestContext) => {
        await using traffic = await Traffic.start(cluster, `orders-${index}`);
        await fault(cluster, traffic);
        // on 2.9 a group may be given less than the stream holds once a node of it was frozen; what it lacks is stored
        const mayPassOver = version.startsWith('2.9.') && name.includes('frozen');
        const report = await traffic.finish({ mayPassOver });
        t.diagnostic(JSON.stringify(report));
        // what was out when a leader went may be delivered again: a share of all, not all of it
        assert.ok(report.again < report.produced / 4 + 200, `${report.again} deliveries again`);
      });
    }

    test('while two of three nodes are down, nothing is confirmed; when they are back, all that waits is done, once', async () => {
      const [survivor, ...others] = cluster.nodes as [ClusterNode, ...ClusterNode[]];
      const memphis = await connect({ servers: [survivor.url] });
      try {
        await memphis.createStation('majority', { replicas: 3 });
        await memphis.fetchMessages('majority', { group: 'g', batchMaxWaitMs: 0 });
        const producer = await memphis.createProducer('majority', { ackWaitMs: 60_000 });
        await Promise.all(others.map((node) => node.kill()));
        const ids = Array.from({ length: 200 }, (_, index) => String(index));
        let confirmed = 0;
        const producing = ids.map((id) => producer.produce(id).then(() => confirmed++));
        const fetching = memphis.fetchMessages('majority', { group: 'g', batchSize: 200, batchMaxWaitMs: 40_000 });
        await sleep(5_000);
        assert.equal(confirmed, 0);
        await Promise.all(others.map((node) => node.restart()));
        await Promise.all(producing);
        const messages = [...(await fetching)];
        await Promise.all(messages.map((message) => message.ack()));
        while (messages.length < ids.length) {
          const more = await memphis.fetchMessages('majority', { group: 'g', batchSize: 200 });
          await Promise.all(more.map((message) => message.ack()));
          messages.push(...more);
        }
        assert.deepEqual([...(await readStream(cluster, 'majority$1'))].sort(), ids.sort());
        assert.deepEqual(new Set(messages.map((message) => message.text())), new Set(ids));
      } finally {
        await memphis.close();
      }
    });
  });
}
