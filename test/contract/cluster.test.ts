/** The broker contract on a cluster of three nodes with three replicas of everything, connected to each node in turn. */

import { after, before, describe, test } from 'node:test';
import { brokerContract } from '../../src/testing/index.ts';
import { type Cluster, startCluster } from '../support/cluster.ts';
import { openJetStream } from '../support/jetstream-subject.ts';
import { serversUnderTest } from '../support/servers.ts';

for (const { binary, version } of serversUnderTest()) {
  describe(`a cluster of nats-server ${version}`, { concurrency: 12 }, () => {
    let cluster: Cluster;
    before(async () => {
      cluster = await startCluster(binary);
    });
    after(() => cluster.stop());

    for (const node of [0, 1, 2]) {
      for (const { name, run } of brokerContract) {
        test(`node ${node + 1}: ${name}`, async () => {
          const ports = cluster.nodes.map(({ port }) => port);
          await using subject = await openJetStream([...ports.slice(node), ...ports.slice(0, node)], 3);
          await run(subject);
        });
      }
    }
  });
}
