/** Streams in the way of a station, and records of stations that somebody has damaged: said by code, nothing touched. */

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { openLean } from '../../src/connection/lean/session.ts';
import type { Connection } from '../../src/connection/port.ts';
import { type Client, connect, isMemphisError } from '../../src/index.ts';
import { type RunningBroker, startBroker } from '../../src/testing/index.ts';
import { withRawApi } from '../support/raw-api.ts';
import { serversUnderTest } from '../support/servers.ts';

for (const { binary, version } of serversUnderTest()) {
  describe(`stations among other things on nats-server ${version}`, () => {
    let broker: RunningBroker;
    let memphis: Client;
    let raw: Connection;
    before(async () => {
      broker = await startBroker({ binary });
      raw = openLean({ server: `127.0.0.1:${broker.port}`, name: 'test', timeoutMs: 2_000 });
      memphis = await connect({ servers: [broker.url] });
    });
    after(async () => {
      await raw.close();
      await memphis.close();
      await broker.stop();
    });

    const three = { storageType: 'memory', partitionsNumber: 3 } as const;
    const makeStream = (name: string, subjects: readonly string[]): Promise<unknown> =>
      withRawApi(broker.port, (api) =>
        api(`STREAM.CREATE.${name}`, { name, subjects, storage: 'memory', max_msgs: 7 }),
      );
    const configOf = (name: string): Promise<unknown> =>
      withRawApi(broker.port, async (api) => {
        const { config, state } = await api(`STREAM.INFO.${name}`);
        return [config, state];
      });

    for (const [what, stream, subjects] of [
      ['a stream of that name with other settings', 'taken$2', ['taken$2.>']],
      ['another stream that takes its subjects', 'other', ['taken$2.final', 'and.more']],
    ] as const) {
      test(`${what} is STATION_CONFLICT, stays as it is, and gone it is no hindrance`, async () => {
        // its making was cut off after the first partition
        await memphis.createStation('taken', three);
        await withRawApi(broker.port, async (api) => {
          await api('STREAM.PURGE.KV_memphis_serverless', { filter: '$KV.memphis_serverless.station.taken' });
          for (const partition of [2, 3]) await api(`STREAM.DELETE.taken$${partition}`);
        });
        await makeStream(stream, subjects);
        const earlier = await configOf(stream);
        await assert.rejects(memphis.createStation('taken', three), (error) => {
          assert.ok(isMemphisError(error, 'STATION_CONFLICT'), String(error));
          assert.match(error.message, /another name/);
          assert.equal(error.retryable, false);
          assert.ok(error.cause instanceof Error, "the broker's words");
          return true;
        });
        assert.deepEqual(await configOf(stream), earlier);
        await withRawApi(broker.port, (api) => api(`STREAM.DELETE.${stream}`));
        await memphis.createStation('taken', three);
        assert.equal((await memphis.describeStation('taken')).partitions.length, 3);
        await memphis.destroyStation('taken');
      });
    }

    test('a damaged record is passed over: the streams tell what there is', async () => {
      const damaged: readonly string[] = [
        '',
        '{',
        'null',
        '[]',
        '7',
        '{"partitionsNumber":-1}',
        '{"partitionsNumber":1e15}',
        '{"partitionsNumber":"2"}',
        '{"partitionsNumber":2,"idempotencyWindowMs":"long","dlsStation":7,"retentionType":"bytes","retentionValue":-1}',
      ];
      await memphis.createStation('torn', { storageType: 'memory', partitionsNumber: 2 });
      for (const [index, record] of damaged.entries()) {
        const writer = await connect({ servers: [broker.url] });
        raw.publish('$KV.memphis_serverless.station.torn', new TextEncoder().encode(record));
        await raw.flush(1_000);
        const { partition } = await writer.produce('torn', String(index), { partition: 2 });
        assert.equal(partition, 2, record);
        const [message] = await writer.fetchMessages('torn', { group: 'g', batchMaxWaitMs: 1_000 });
        assert.equal(message?.text(), String(index), record);
        await message?.ack();
        assert.equal((await writer.describeStation('torn')).partitions.length, 2, record);
        await writer.close();
      }
      await memphis.createStation('torn', { storageType: 'memory', partitionsNumber: 2 });
      assert.equal((await memphis.describeStation('torn')).messages, damaged.length, 'nothing is lost');
      await memphis.destroyStation('torn');
    });

    test('an answer on a subject that somebody else gives is no receipt, and is not quoted', async () => {
      await memphis.createStation('echo', { storageType: 'memory' });
      await memphis.produce('echo', 'known');
      await withRawApi(broker.port, (api) => api('STREAM.DELETE.echo$1'));
      raw.subscribe('echo$1.final', { onFrame: ({ reply, data }) => raw.publish(reply, data) });
      await raw.flush(1_000);
      for (const payload of ['card 4111111111111111', '{"id":"4111111111111111"}', '["4111111111111111"]']) {
        await assert.rejects(memphis.produce('echo', payload), (error) => {
          assert.ok(isMemphisError(error, 'BROKER_REFUSED'), String(error));
          assert.doesNotMatch(`${error.message} ${String(error.cause)}`, /4111/);
          return true;
        });
      }
    });
  });
}
