/** The broker contract on a cluster of three nodes with three replicas of everything, connected to each node in turn. */

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { brokerContract } from '../../src/testing/index.ts';
import { type Cluster, startCluster } from '../support/cluster.ts';
import { openJetStream } from '../support/jetstream-subject.ts';
import { serversUnderTest } from '../support/servers.ts';

/**
 * Three servers and their elections on a small machine: one that stands still for a second looks like one that has died, leaders
 * change, and what was on its way between two nodes at that moment comes again as a redelivery. So a case may be played
 * once more, but few of them.
 */
const MAX_REPEATS = 6;

for (const { binary, version } of serversUnderTest()) {
  describe(`a cluster of nats-server ${version}`, { concurrency: 9 }, () => {
    let cluster: Cluster;
    let repeats = 0;
    before(async () => {
      cluster = await startCluster(binary);
    });
    after(() => cluster.stop());

    for (const node of [0, 1, 2]) {
      for (const { name, run } of brokerContract) {
        test(`node ${node + 1}: ${name}`, async (t) => {
          const ports = cluster.nodes.map(({ port }) => port);
          const play = async (): Promise<void> => {
            await using subject = await openJetStream([...ports.slice(node), ...ports.slice(0, node)], 3);
            await run(subject);
          };
          try {
            await play();
          } catch (error) {
            t.diagnostic(`played again after: ${error instanceof Error ? error.message : String(error)}`);
            repeats += 1;
            assert.ok(repeats <= MAX_REPEATS, `${repeats} cases had to be played again; the last one: ${error}`);
            await play();
          }
        });
      }
    }
  });
}
