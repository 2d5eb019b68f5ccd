/** What a pull has in hand reaches its handler, whatever trouble is met behind it. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JetStreamBroker } from '../../../src/brokers/jetstream/broker.ts';
import { makeDelivery } from '../../../src/brokers/jetstream/delivery.ts';
import type { Group } from '../../../src/brokers/jetstream/groups.ts';
import type { Lane, LaneRules } from '../../../src/brokers/jetstream/lane.ts';
import { JetStreamReader } from '../../../src/brokers/jetstream/reader.ts';
import { streamReadersOf } from '../../../src/brokers/jetstream/readers.ts';
import { connect } from '../../../src/index.ts';
import { startBroker } from '../../../src/testing/start-broker.ts';
import { makeLane } from '../../support/lanes.ts';
import { untilPending } from '../../support/pending.ts';
import { serversUnderTest } from '../../support/servers.ts';

for (const { binary, version } of serversUnderTest()) {
  const on = `nats-server ${version}`;

  /** Pulls with the lanes of a group that is a double: those that are asked each time, and those asked in front of them. */
  async function pull(lanes: readonly Lane[], due: readonly Lane[]): Promise<string[]> {
    await using broker = await startBroker({ binary });
    const memphis = await connect({ servers: [broker.url] });
    try {
      await memphis.createStation('jobs', { storageType: 'memory' });
      const read = { group: 'g', batchMaxWaitMs: 0 };
      assert.deepEqual(await memphis.fetchMessages('jobs', read), []);
      await memphis.produceBatch('jobs', ['a', 'b']);
      await untilPending(memphis, 'jobs', 'g', 2);
      const driver = (await memphis.session.broker()) as JetStreamBroker;
      const { link, stations } = driver;
      const { retries } = streamReadersOf(driver);
      const group = {
        durableName: 'g',
        isUnknown: false,
        lanes: async () => lanes,
        extra: async (_connection: unknown, _partitions: unknown, isEmpty: boolean) => (isEmpty ? [] : due),
        refresh: () => undefined,
        settled: () => undefined,
        forget: () => {},
      };
      const options = { station: 'jobs', group: 'g', ackWaitMs: 30_000, maxDeliveries: 5 };
      const reader = new JetStreamReader(link, stations, retries, options, { group: group as unknown as Group });
      const { messages } = await reader.pull({ batchSize: 10, waitMs: 0, patienceMs: 2_000 });
      return messages.map(({ data }) => new TextDecoder().decode(data));
    } finally {
      await memphis.close();
    }
  }

  const there = makeLane({ stream: 'jobs$1', durable: 'g', partition: 1 });
  const gone = makeLane({ stream: 'jobs$1', durable: 'gone', partition: 1 });

  test(`${on}: messages of lanes that are asked first are handed over where the others fail`, async () => {
    assert.deepEqual(await pull([gone], [there]), ['a', 'b']);
  });

  test(`${on}: messages are handed over though nobody can say whether others have settled them`, async () => {
    const rules: LaneRules = {
      toDelivery: (frame, lane) => makeDelivery(frame, 'jobs', lane),
      isOver: async () => {
        throw new Error('the stream of acks does not answer');
      },
      onAcked: async () => {},
    };
    assert.deepEqual(await pull([{ ...there, rules }], []), ['a', 'b']);
  });
}
