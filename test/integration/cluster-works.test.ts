/** Functions, pollers, dead letters and parked messages on a cluster whose nodes are killed one after the other. */

import { after, before, describe, mock, test } from 'node:test';
import { connect } from '../../src/index.ts';
import { type Cluster, startCluster } from '../support/cluster.ts';
import { functionThatPulls, poller } from '../support/cluster-functions.ts';
import { LeaderWatch } from '../support/cluster-leaders.ts';
import type { Site, Work } from '../support/cluster-scene.ts';
import { untilHolds } from '../support/cluster-streams.ts';
import { deadLetters, describing, inOrder, parked, redriven } from '../support/cluster-works.ts';
import { serversUnderTest } from '../support/servers.ts';

const makers: Readonly<Record<string, (site: Site) => Promise<Work>>> = {
  'a function that pulls gets each message, and its summaries add up': functionThatPulls,
  'a poller invokes for each message, and its report adds up': poller,
  'what is to be a dead letter is one, once, before its source is settled': deadLetters,
  'what is parked comes back': parked,
  'dead letters that are put back come back': redriven,
  'what is read in order stays in order': inOrder,
  'stations can be described and listed all the time': describing,
};

const stations = ['pulled', 'polled', 'dead', 'parked', 'redriven', 'ordered', 'described'];

/** Each work has got on with messages that came after this moment. */
async function allGoOn(works: readonly Work[]): Promise<void> {
  const before = works.map((work) => work.done());
  await untilHolds(120_000, async () => {
    const lazy = works.findIndex((work, index) => work.done() < (before[index] ?? 0) + 20);
    return lazy === -1 ? undefined : `${Object.keys(makers)[lazy]}: it does not go on`;
  });
}

for (const { binary, version } of serversUnderTest()) {
  describe(`a cluster of nats-server ${version} whose nodes are killed one after the other`, () => {
    const over = new AbortController();
    const works: Work[] = [];
    let cluster: Cluster;
    let watch: LeaderWatch | undefined;
    let close: () => Promise<void> = async () => {};
    before(async () => {
      mock.method(console, 'error', () => {}); // what handlers put back is written to the log
      cluster = await startCluster(binary);
      const client = await connect({ servers: [...cluster.urls] });
      watch = new LeaderWatch(
        cluster,
        stations.flatMap((station) => [
          `STREAM.INFO.${station}$1`,
          `CONSUMER.INFO.${station}$1.g`,
          `STREAM.INFO.${station}$dls`,
        ]),
      );
      close = () => client.close();
      for (const make of Object.values(makers)) works.push(await make({ cluster, client, watch, over: over.signal }));
      await allGoOn(works);
      for (const node of cluster.nodes) {
        await node.kill();
        await allGoOn(works);
        await node.restart();
        for (const station of stations) {
          await cluster.settled(`${station}$1`);
          if (station !== 'described') await cluster.settled(`${station}$1`, 'g');
        }
        await allGoOn(works);
      }
    });
    after(async () => {
      over.abort();
      await watch?.stop();
      await close();
      await cluster.stop();
    });

    for (const [index, name] of Object.keys(makers).entries()) {
      test(name, async () => {
        await works[index]?.check();
      });
    }
  });
}
