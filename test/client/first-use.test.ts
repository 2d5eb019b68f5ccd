/** Stations that are made when they are first used, where that is wanted. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { connect, isMemphisError } from '../../src/index.ts';
import { produceHandler, withMemphis } from '../../src/lambda/index.ts';
import { startBroker } from '../../src/testing/start-broker.ts';
import { serversUnderTest } from '../support/servers.ts';

for (const { binary, version } of serversUnderTest()) {
  describe(`creation on first use, on nats-server ${version}`, () => {
    test('producers, consumers and functions make what is missing, once; what takes away makes nothing', async () => {
      await using broker = await startBroker({ binary });
      const options = { servers: [broker.url], createStationOnFirstUse: true };
      const memphis = await connect(options);
      const [first, second] = await Promise.all([memphis.produce('made', 'a'), memphis.produce('made', 'b')]);
      assert.deepEqual([first.sequence, second.sequence].sort(), [1, 2]);
      const { settings, isOurs } = await memphis.station('made').describe();
      assert.equal(isOurs, true);
      assert.partialDeepStrictEqual(settings, { partitionsNumber: 1, retentionValue: 3_600, storageType: 'file' });
      assert.deepEqual(await memphis.fetchMessages('read', { group: 'g', batchMaxWaitMs: 0 }), []);
      await memphis.createProducer('produced');
      await withMemphis(() => {}, { ...options, station: 'pulled', group: 'g' })({}, {} as never);
      const event = {
        version: '2.0',
        rawPath: '/',
        rawQueryString: '',
        headers: {},
        body: 'x',
        isBase64Encoded: false,
      };
      const http = { method: 'POST', path: '/' };
      const handler = produceHandler({ ...options, station: 'posted' });
      assert.equal((await handler({ ...event, requestContext: { http } })).statusCode, 202);
      const names = async (): Promise<string[]> => (await memphis.listStations()).map(({ name }) => name).sort();
      assert.deepEqual(await names(), ['made', 'posted', 'produced', 'pulled', 'read']);
      for (const take of [
        () => memphis.station('none').destroy(),
        () => memphis.station('none').describe(),
        () => memphis.station('none').deadLetters().list(),
      ]) {
        await assert.rejects(take(), (error) => isMemphisError(error, 'STATION_NOT_FOUND'));
      }
      assert.equal((await names()).length, 5);
      await memphis.close();
    });

    test('without the option a missing station is an error, and stays missing', async () => {
      await using broker = await startBroker({ binary });
      const memphis = await connect({ servers: [broker.url] });
      await assert.rejects(memphis.produce('none', 'a'), (error) => isMemphisError(error, 'STATION_NOT_FOUND'));
      await assert.rejects(memphis.fetchMessages('none', { group: 'g' }), (error) =>
        isMemphisError(error, 'STATION_NOT_FOUND'),
      );
      assert.deepEqual(await memphis.listStations(), []);
      await memphis.close();
    });
  });
}
