/** First uses on a cluster, where everything that is new has to elect a leader first; and acks, whichever node they go to. */

import assert from 'node:assert/strict';
import { after, before, describe, type TestContext, test } from 'node:test';
import { openLean } from '../../src/connection/lean/session.ts';
import { type Client, connect } from '../../src/index.ts';
import { type Cluster, startCluster } from '../support/cluster.ts';
import { withRawApi } from '../support/raw-api.ts';
import { serversUnderTest } from '../support/servers.ts';

const ROUNDS = 5;
const MESSAGES = 500;

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

async function timed<T>(into: number[], call: () => Promise<T>): Promise<T> {
  const startedAt = performance.now();
  const result = await call();
  into.push(Math.round(performance.now() - startedAt));
  return result;
}

for (const { binary, version } of serversUnderTest()) {
  describe(`a cluster of nats-server ${version}`, () => {
    let cluster: Cluster;
    let clients: readonly Client[];
    before(async () => {
      cluster = await startCluster(binary);
      // each on a node of its own
      clients = await Promise.all(cluster.urls.map((url) => connect({ servers: [url] })));
    });
    after(async () => {
      await Promise.all(clients.map((client) => client.close()));
      await cluster.stop();
    });
    const clientOf = (index: number): Client => clients[index % clients.length] as Client;

    test('a station that was just made takes messages at once, and a new group is given them, on each node', async (t: TestContext) => {
      const madeMs: number[] = [];
      const producedMs: number[] = [];
      const fetchedMs: number[] = [];
      await Promise.all(
        clients.map(async (client, index) => {
          for (let round = 0; round < ROUNDS; round++) {
            const station = `new-${index}-${round}`;
            await timed(madeMs, () => client.createStation(station, { replicas: 3, partitionsNumber: 2 }));
            await timed(producedMs, () => client.produce(station, 'here'));
            await timed(producedMs, () => clientOf(index + 1).produce(station, 'there'));
            // from another node than those of the producers too
            for (const reader of [client, clientOf(index + 2)]) {
              const group = reader === client ? 'here' : 'there';
              const first = await timed(fetchedMs, () => reader.fetchMessages(station, { group }));
              assert.ok(first.length > 0);
              // a replica may be a moment behind, or one of the two durables not have its leader yet
              const second = first.length === 2 ? [] : await reader.fetchMessages(station, { group });
              const texts = [...first, ...second].map((message) => message.text());
              assert.deepEqual(texts.sort(), ['here', 'there']);
              await Promise.all([...first, ...second].map((message) => message.ack()));
            }
          }
        }),
      );
      t.diagnostic(JSON.stringify({ made: median(madeMs), produced: median(producedMs), fetched: median(fetchedMs) }));
    });

    test('the first fetch of a new group takes an election, and no seconds beyond it', async (t: TestContext) => {
      await clientOf(0).createStation('known', { replicas: 3 });
      await clientOf(0).produce('known', 'message');
      const electedMs: number[] = [];
      const fetchedMs: number[] = [];
      await Promise.all(
        clients.map(async (client, index) => {
          await client.fetchMessages('known', { group: 'warm', batchMaxWaitMs: 0 });
          for (let round = 0; round < ROUNDS; round++) {
            await withRawApi(cluster.nodes[index]?.port ?? 0, async (api) => {
              const name = `raw-${index}-${round}`;
              const config = { durable_name: name, ack_policy: 'explicit' };
              const made = await timed(electedMs, () =>
                api(`CONSUMER.DURABLE.CREATE.known$1.${name}`, { stream_name: 'known$1', config }),
              );
              assert.equal(made.error, undefined);
            });
            const group = `new-${index}-${round}`;
            const messages = await timed(fetchedMs, () => client.fetchMessages('known', { group }));
            assert.equal(messages.length, 1);
          }
        }),
      );
      t.diagnostic(JSON.stringify({ electedMs, fetchedMs }));
      assert.ok(median(fetchedMs) < 1.5 * median(electedMs) + 500, 'no pull is lost in a durable without a leader');
    });

    test('what is settled is settled at the leader when the promise resolves, on each node', async () => {
      await clientOf(0).createStation('acks', { replicas: 3 });
      const producer = await clientOf(0).createProducer('acks');
      await producer.produceBatch(Array.from({ length: MESSAGES }, (_, index) => String(index)));
      for (const [index, client] of clients.entries()) {
        for (let round = 0; round < ROUNDS; round++) {
          const group = `g-${index}-${round}`;
          const messages = await client.fetchMessages('acks', { group, batchSize: MESSAGES });
          assert.equal(messages.length, MESSAGES);
          const leader = await cluster.leaderOf('acks$1', group);
          const direct = openLean({ server: `127.0.0.1:${leader.port}`, name: 'test', timeoutMs: 2_000 });
          try {
            await direct.info;
            await Promise.all(messages.map((message) => message.ack()));
            const reply = await direct.request(`$JS.API.CONSUMER.INFO.acks$1.${group}`, new Uint8Array(), {
              timeoutMs: 5_000,
            });
            const info: { readonly num_ack_pending: number } = JSON.parse(new TextDecoder().decode(reply.data));
            assert.equal(info.num_ack_pending, 0, `node ${index + 1}, round ${round + 1}`);
          } finally {
            await direct.close();
          }
        }
      }
    });
  });
}
