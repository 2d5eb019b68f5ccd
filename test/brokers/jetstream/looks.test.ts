/** Look-ups that several invocations of one process share: each waits by its own time. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Looks } from '../../../src/brokers/jetstream/looks.ts';
import { readersOf } from '../../../src/brokers/readers.ts';
import { connect, isMemphisError } from '../../../src/index.ts';
import { startBroker } from '../../../src/testing/start-broker.ts';
import { deafConnection } from '../../support/deaf-connection.ts';
import { endsWithin } from '../../support/ends-within.ts';
import { serversUnderTest } from '../../support/servers.ts';

/** How long those with little time have; one request that is not answered takes 2 s. */
const LITTLE_MS = 400;
const MUCH_MS = 15_000;
const TOO_LONG_MS = 1_200;
const STATION = '$JS.API.STREAM.MSG.GET.KV_';
const group = { station: 'jobs', group: 'g', ackWaitMs: 30_000, maxDeliveries: 10 } as const;

/** A station that nobody has asked for on this connection, and what asks for it. */
async function openScene(port: number) {
  const deaf = deafConnection(`127.0.0.1:${port}`);
  const memphis = await connect({ connection: deaf.connection });
  await memphis.createStation('jobs', { storageType: 'memory' });
  const broker = await memphis.session.broker();
  const reader = readersOf(broker).reader(group);
  return {
    deaf,
    memphis,
    asks: {
      station: async (patienceMs: number) => {
        assert.deepEqual(await broker.partitions('jobs', { patienceMs }), [1]);
      },
      group: async (patienceMs: number) => {
        const settleByMs = Date.now() + patienceMs + 500;
        assert.deepEqual((await reader.pull({ batchSize: 1, waitMs: 0, patienceMs, settleByMs })).messages, []);
      },
    },
    [Symbol.asyncDispose]: () => memphis.close(),
  };
}

test('a look goes on past its time: who joined it with a little more does not wait for it', async () => {
  const over = Promise.withResolvers<string>();
  const looks = new Looks('station', (_key: string, _limitMs: number) => over.promise);
  const first = looks.find('jobs', 100);
  const joined = looks.find('jobs', 300);
  const isInTime = await endsWithin(joined, TOO_LONG_MS);
  over.resolve('found');
  assert.ok(isInTime, 'it waited, and asked again and again');
  await assert.rejects(joined, { code: 'TIMEOUT', message: /^Could not look up station jobs: / });
  assert.deepEqual([await first, await looks.find('jobs', 1)], ['found', 'found']);
});

for (const { binary, version } of serversUnderTest()) {
  for (const [what, subject] of [
    ['station', STATION],
    ['group', '$JS.API.CONSUMER.INFO.jobs$1'],
  ] as const) {
    test(`nats-server ${version} does not answer who looks for a ${what}: who has less time does not wait for who has more`, async () => {
      await using broker = await startBroker({ binary });
      await using scene = await openScene(broker.port);
      scene.deaf.deafen(subject, 1);
      const more = scene.asks[what](MUCH_MS);
      const less = scene.asks[what](LITTLE_MS);
      assert.ok(await endsWithin(less, TOO_LONG_MS), 'it waited for the other one');
      await assert.rejects(less, (error) => isMemphisError(error, 'TIMEOUT'));
      await more;
    });
  }

  test(`nats-server ${version} does not answer who looks for a station: who has more time goes on when who has less gives up`, async () => {
    await using broker = await startBroker({ binary });
    await using scene = await openScene(broker.port);
    scene.deaf.deafen(STATION, 1);
    const less = scene.asks.station(LITTLE_MS);
    const more = scene.asks.station(MUCH_MS);
    await assert.rejects(less, (error) => isMemphisError(error, 'TIMEOUT'));
    await more;
  });

  test(`nats-server ${version} does not say whether a stream is missing: who has less time to produce does not wait for who has more`, async () => {
    await using broker = await startBroker({ binary });
    await using scene = await openScene(broker.port);
    const { deaf, memphis } = scene;
    await memphis.produce('jobs', 'x');
    const other = await connect({ servers: [broker.url] });
    await other.station('jobs').destroy();
    await other.close();
    deaf.deafen('$JS.API.STREAM.INFO.', 1);
    const missing = (error: unknown): boolean => isMemphisError(error, 'STATION_NOT_FOUND');
    const more = assert.rejects(memphis.produce('jobs', 'x', { ackWaitMs: MUCH_MS }), missing);
    const less = memphis.produce('jobs', 'x', { ackWaitMs: LITTLE_MS });
    assert.ok(await endsWithin(less, TOO_LONG_MS), 'it waited for the other one');
    await assert.rejects(less);
    await more;
  });
}
