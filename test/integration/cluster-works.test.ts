/** Functions, pollers, dead letters and parked messages on a cluster whose nodes are killed one after the other. */

import { after, before, describe, mock, test } from 'node:test';
import { connect } from '../../src/index.ts';
import { type Cluster, startCluster } from '../support/cluster.ts';
import { untilHolds } from '../support/cluster-streams.ts';
import {
  deadLetters,
  functionThatPulls,
  parked,
  poller,
  redriven,
  type Site,
  type Work,
} from '../support/cluster-works.ts';
import { serversUnderTest } from '../support/servers.ts';

const makers: Readonly<Record<string, (site: Site) => Promise<Work>>> = {
  'a function that pulls gets each message, and its summaries add up': functionThatPulls,
  'a poller invokes for each message, and its report adds up': poller,
  'what is to be a dead letter is one, once, before its source is settled': deadLetters,
  'what is parked comes back': parked,
  'dead letters that are put back come back': redriven,
};

/** Each work has got on with messages that came after this moment. */
async function allGoOn(works: readonly Work[]): Promise<void> {
  const before = works.map((work) => work.done());
  await untilHolds(60_000, async () => {
    const lazy = works.findIndex((work, index) => work.done() < (before[index] ?? 0) + 20);
    return lazy === -1 ? undefined : `${Object.keys(makers)[lazy]}: it does not go on`;
  });
}

for (const { binary, version } of serversUnderTest()) {
  describe(`a cluster of nats-server ${version} whose nodes are killed one after the other`, () => {
    const over = new AbortController();
    const works: Work[] = [];
    let cluster: Cluster;
    let close: () => Promise<void> = async () => {};
    before(async () => {
      mock.method(console, 'error', () => {}); // what handlers put back is written to the log
      cluster = await startCluster(binary);
      const client = await connect({ servers: [...cluster.urls] });
      close = () => client.close();
      for (const make of Object.values(makers)) works.push(await make({ cluster, client, over: over.signal }));
      await allGoOn(works);
      for (const node of cluster.nodes) {
        await node.kill();
        await allGoOn(works);
        await node.restart();
        for (const station of ['pulled', 'polled', 'dead', 'parked', 'redriven']) await cluster.settled(`${station}$1`);
        await allGoOn(works);
      }
    });
    after(async () => {
      over.abort();
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
