/** Connecting to a cluster of three: any node, servers that INFO names, nodes that die, hang, or go in an orderly way. */

import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Link } from '../../src/connection/link.ts';
import { makeLink } from '../../src/connection/open.ts';
import type { Connection } from '../../src/connection/port.ts';
import { connect } from '../../src/index.ts';
import { connectOptions } from '../../src/model/options/connect.ts';
import { resolveOptions } from '../../src/model/resolve-options.ts';
import { startBroker } from '../../src/testing/start-broker.ts';
import { makeAuthority, writeFiles } from '../support/certificates.ts';
import { type Cluster, type ClusterNode, startCluster } from '../support/cluster.ts';
import { serversUnderTest } from '../support/servers.ts';
import { works } from '../support/works.ts';

const soon = (): number => Date.now() + 10_000;
const empty = new Uint8Array();
const linkTo = (options: Record<string, unknown>): Link => makeLink(resolveOptions('connect', connectOptions, options));
const until = async (what: string, holds: () => boolean): Promise<void> => {
  for (const deadline = Date.now() + 10_000; !holds(); await sleep(20)) assert.ok(Date.now() < deadline, what);
};
const portsOf = (connection: Connection): number[] => connection.peers.map((peer) => Number(peer.split(':')[1])).sort();

for (const { binary, version } of serversUnderTest()) {
  describe(`a cluster of nats-server ${version}`, () => {
    let cluster: Cluster;
    before(async () => {
      cluster = await startCluster(binary);
    });
    after(() => cluster.stop());
    beforeEach(async () => {
      for (const node of cluster.nodes) if (node.pid === undefined) await node.restart();
      await cluster.ready();
    });
    const nodeOf = async (connection: Connection): Promise<ClusterNode> => {
      const { serverName } = await connection.info;
      const node = cluster.nodes.find(({ name }) => name === serverName);
      assert.ok(node !== undefined);
      return node;
    };

    test('works through any node, and knows the others from INFO', async () => {
      for (const node of cluster.nodes) {
        await works({ servers: [node.url] });
        const link = linkTo({ servers: [node.url] });
        const connection = await link.ready(soon());
        assert.deepEqual(portsOf(connection), cluster.nodes.map(({ port }) => port).sort());
        await link.close();
      }
    });

    test('the servers that INFO names are dialled when all those configured are gone', async () => {
      const [only] = cluster.nodes;
      assert.ok(only !== undefined);
      const link = linkTo({ servers: [only.url] });
      const gone = [only];
      let connection = await link.ready(soon());
      for (let left = 2; left > 0; left--) {
        const node = await nodeOf(connection);
        await node.kill();
        await connection.closed;
        connection = await link.ready(soon());
        gone.push(await nodeOf(connection));
        await connection.flush(1_000);
      }
      assert.equal(new Set(gone).size, 3);
      await link.close();
    });

    test('a produce goes on when its node dies, and when its node hangs', async () => {
      const [first, second] = cluster.nodes;
      assert.ok(first !== undefined && second !== undefined);
      let sent = 0;
      for (const [node, trouble] of [
        [first, 'kill'],
        [second, 'freeze'],
      ] as const) {
        const memphis = await connect({ servers: [node.url] }); // which is where it is connected
        await memphis.createStation('surviving', { replicas: 3 });
        await memphis.produce('surviving', String(sent++));
        await node[trouble]();
        await memphis.produce('surviving', String(sent++), { ackWaitMs: 20_000 });
        if (trouble === 'kill') await node.restart();
        else node.thaw();
        await memphis.close();
      }
      const memphis = await connect({ servers: cluster.urls });
      const messages = await memphis.fetchMessages('surviving', { group: 'g', batchSize: 100, batchMaxWaitMs: 2_000 });
      assert.deepEqual(
        messages.map((message) => message.text()),
        ['0', '1', '2', '3'],
      );
      await memphis.close();
    });

    test('a node that is about to go is left at the next use, and what is under way on it ends there', async () => {
      const link = linkTo({ servers: cluster.urls });
      const old = await link.ready(soon());
      const leaving = await nodeOf(old);
      const helper = linkTo({ servers: [cluster.nodes.find((node) => node !== leaving)?.url] });
      const responder = await helper.ready(soon());
      let answer: (() => void) | undefined;
      responder.subscribe('slow', {
        onFrame: ({ reply }) => {
          answer = () => responder.publish(reply, empty);
        },
      });
      await responder.flush(1_000);
      await sleep(100); // interest has to reach the other nodes
      const underWay = old.request('slow', empty, { timeoutMs: 10_000 });
      await until('the request has arrived', () => answer !== undefined);

      leaving.lameDuck();
      await until('the client has heard of it', () => old.isLeaving);
      assert.equal(portsOf(old).includes(leaving.port), false);
      const next = await link.ready(soon());
      assert.notEqual(await nodeOf(next), leaving);
      assert.equal(old.isClosed, false, 'it is not cut off by us');
      answer?.();
      assert.equal((await underWay).status, 0);
      await next.flush(1_000);
      assert.equal(await link.ready(soon()), next);
      await old.closed;
      await until('the node has gone', () => leaving.pid === undefined);
      await Promise.all([link.close(), helper.close()]);
    });

    test('each node goes in turn and comes back: no produce fails, and each message is stored once', async () => {
      const memphis = await connect({ servers: cluster.urls });
      await memphis.createStation('rolling', { replicas: 3 });
      let sent = 0;
      let isRolling = true;
      const lanes = Array.from({ length: 4 }, async () => {
        while (isRolling) {
          await memphis.produce('rolling', String(sent++), { ackWaitMs: 30_000 });
          await sleep(10);
        }
      });
      for (const node of cluster.nodes) {
        node.lameDuck();
        await until('the node has gone', () => node.pid === undefined);
        await node.restart();
        await cluster.ready();
        await cluster.settled('rolling$1');
      }
      isRolling = false;
      await Promise.all(lanes);
      const seen: string[] = [];
      for (;;) {
        const options = { group: 'g', batchSize: 1_000, batchMaxWaitMs: 1_000 };
        const messages = await memphis.fetchMessages('rolling', options);
        if (messages.length === 0) break;
        seen.push(...messages.map((message) => message.text()));
        await Promise.all(messages.map((message) => message.ack()));
      }
      assert.equal(seen.length, sent);
      assert.equal(new Set(seen).size, sent);
      await memphis.close();
    });
  });

  test(`nats-server ${version}: a lone server that is about to go is used until it is gone`, async () => {
    await using broker = await startBroker({
      binary,
      config: 'lame_duck_grace_period: "1s", lame_duck_duration: "30s"',
    });
    const link = linkTo({ servers: [broker.url] });
    const first = await link.ready(soon(), { isAccepted: true });
    process.kill(broker.pid ?? 0, 'SIGUSR2');
    await until('the client has heard of it', () => first.isLeaving);
    assert.equal(await link.ready(soon()), first);
    await first.flush(1_000);
    await first.closed;
    await until('it is gone', () => broker.pid === undefined);
    await broker.restart();
    const second = await link.ready(soon());
    assert.notEqual(second, first);
    await second.flush(1_000);
    await link.close();
  });

  test(`nats-server ${version}: servers that a cluster names by address must bear the name that was dialled`, async () => {
    const authority = await makeAuthority();
    const server = await authority.issue({ name: 'server', dns: ['localhost'] });
    await using files = await writeFiles({ ...server, ca: authority.ca });
    const { cert, key, ca } = files.paths;
    const config = `tls { cert_file: "${cert}", key_file: "${key}", timeout: 5 }`;
    // the nodes know only each other's addresses, for which the certificate is not good
    await using cluster = await startCluster(binary, {
      config,
      dial: { tls: { ca: authority.ca }, certifiedName: 'localhost' },
    });
    const [only] = cluster.nodes;
    assert.ok(only !== undefined);
    const link = linkTo({ servers: [`tls://localhost:${only.port}`], tls: { ca } });
    const first = await link.ready(soon());
    await only.kill();
    await first.closed;
    const second = await link.ready(soon());
    assert.notEqual((await second.info).serverName, only.name);
    await link.close();
  });
}
