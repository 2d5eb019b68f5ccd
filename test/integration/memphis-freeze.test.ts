/** Consumers of a Memphis broker that are frozen at any point of an invocation, and cut off meanwhile: nothing is lost. */

import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from '../../src/index.ts';
import { startFunction } from '../../src/testing/index.ts';
import { drawFreeze, FreezeCounts, invokeFrozen } from '../support/freezes.ts';
import { freshName, memphisBrokers } from '../support/memphis/brokers.ts';
import { startProxy } from '../support/proxy.ts';
import { makeRandom } from '../support/random.ts';

const seed = Number(process.env.FREEZE_SEED ?? 7);
const points = ['pulling', 'fetched', 'handling', 'decided', 'settling', 'settled', 'returned', 'anywhere'];
const FUNCTIONS = 2;

interface Note {
  readonly what: string;
  readonly id?: string;
  readonly delivery?: number;
}

for (const { name: on, open } of memphisBrokers) {
  const rounds = on === 'stand-in' ? 4 : 13;
  test(`${on}: frozen consumers lose nothing (seed ${seed})`, async (t) => {
    await using broker = await open();
    const memphis = await connect({ servers: [broker.url], ...(broker.apiUrl && { apiUrl: broker.apiUrl }) });
    const folder = mkdtempSync(join(tmpdir(), 'memphis-serverless-test-'));
    const journal = join(folder, 'journal');
    const station = freshName('frozen').replaceAll('.', '-');
    const counts = new FreezeCounts();
    const random = makeRandom(seed);
    const published = new Set<string>();
    const { username, password, port } = new URL(broker.url.replace('memphis:', 'http:'));
    await memphis.createStation(station, { storageType: 'memory', partitionsNumber: 2 });
    const play = async (index: number): Promise<void> => {
      const mine = random.fork(String(index));
      await using proxy = await startProxy(Number(port));
      await using owned = await startFunction({
        handler: 'frozen-consumer.handler',
        taskRoot: join(import.meta.dirname, '../support/functions'),
        timeoutMs: 60_000,
        env: {
          JOURNAL: journal,
          MEMPHIS_SERVERS: proxy.url.replace('nats://', `memphis://${username}:${password}@`),
          MEMPHIS_STATION: station,
          MEMPHIS_GROUP: 'g',
          MEMPHIS_MAX_ACK_TIME_MS: '600',
          MEMPHIS_MAX_MSG_DELIVERIES: '8',
          MEMPHIS_BACKOFF_BASE_MS: '50',
          MEMPHIS_FAIL_WHEN_ALL_FAIL: 'false',
          ...(index === 0 ? { MEMPHIS_BATCH_MAX_WAIT_MS: '150' } : { MEMPHIS_DRAIN: 'true' }),
        },
      });
      for (let round = 0; round < rounds; round++) {
        for (let sent = mine.integer(3, 12); sent > 0; sent--) {
          const { partition, sequence } = await memphis.produce(station, String(sent));
          published.add(`${station}$${partition}:${sequence}`);
        }
        const result = await invokeFrozen(owned, proxy, {}, drawFreeze(mine, points), counts, '$JS.ACK.');
        assert.equal(result.error, undefined, JSON.stringify(result));
      }
      const isThrough = async (): Promise<boolean> => {
        const { groups } = await memphis.describeStation(station);
        return groups.every((group) => group.pending + group.ackPending + group.comingBack === 0);
      };
      for (const deadline = Date.now() + 60_000; !(await isThrough()); await sleep(200)) {
        assert.ok(Date.now() < deadline, 'not settled after 60 s');
        const { error } = await owned.invoke({});
        assert.equal(error, undefined);
      }
    };
    try {
      await Promise.all(Array.from({ length: FUNCTIONS }, (_, index) => play(index)));
      const notes = readFileSync(journal, 'utf8')
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as Note);
      const letters = await memphis.station(station).deadLetters().list({ limit: 1_000 });
      const dead = new Set(letters.map(({ messageId }) => messageId));
      const acked = new Set(notes.filter(({ what }) => what === 'ack').map(({ id }) => id));
      const lost = [...published].filter((id) => !acked.has(id) && !dead.has(id));
      assert.deepEqual(lost, []);
      const unseen = [...published].filter((id) => {
        const seen = new Set(notes.filter((one) => one.id === id && one.what === 'seen').map((one) => one.delivery));
        return seen.size < Math.max(0, ...[...seen].map((delivery = 0) => delivery));
      });
      t.diagnostic(
        `${counts}; ${published.size} messages, ${dead.size} dead letters, ${unseen.length} with an unseen delivery`,
      );
      await memphis.station(station).destroy();
    } finally {
      await memphis.close();
      rmSync(folder, { recursive: true, force: true });
    }
  });
}
