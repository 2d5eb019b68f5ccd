/**
 * Our client and the SDK for Node (memphis-dev) in one station and one group. Installing that takes 142 packages, so it is
 * not part of `npm test`: name a folder in which `npm install memphis-dev@1.3.2 underscore` was run in `MEMPHIS_SDK_DIR`.
 */

import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from '../../src/index.ts';
import { freshName, memphisBrokers } from '../support/memphis/brokers.ts';

const folder = process.env.MEMPHIS_SDK_DIR;
const skip = folder === undefined && 'MEMPHIS_SDK_DIR is not set';

// biome-ignore lint/suspicious/noExplicitAny: the SDK has no types worth having here
type Sdk = any;

for (const { name: on, open } of memphisBrokers) {
  test(`${on}: the SDK reads what we produce and we what it produces, each message once in a group of both`, {
    skip,
  }, async () => {
    await using broker = await open();
    const { memphis: sdk }: Sdk = createRequire(join(folder ?? '', '/'))('memphis-dev');
    const { hostname: host, port } = new URL(broker.url.replace('memphis:', 'http:'));
    const ours = await connect({ servers: [broker.url], ...(broker.apiUrl && { apiUrl: broker.apiUrl }) });
    await sdk.connect({ host, port: Number(port), username: 'root', password: 'memphis', suppressLogs: true });
    const station = freshName('shared');
    await sdk.station({ name: station, partitionsNumber: 2, storageType: 'memory' });
    assert.deepEqual(
      (await ours.describeStation(station)).partitions.map(({ partition }) => partition),
      [1, 2],
    );
    const producer = await sdk.producer({ stationName: station, producerName: 'sdk' });
    const headers = sdk.headers();
    headers.add('k', 'v');
    for (let n = 0; n < 6; n++) {
      await producer.produce({ message: { from: 'sdk', n }, headers, msgId: `s${n}`, asyncProduce: false });
      await ours.produce(station, { from: 'ours', n }, { headers: { k: 'v' }, msgId: `o${n}` });
    }
    const twice = await ours.produce(station, { from: 'ours', n: 0 }, { msgId: 'o0' });
    assert.equal(twice.duplicate, true);

    const options = { stationName: station, consumerGroup: 'both', maxAckTimeMs: 5_000, maxMsgDeliveries: 3 };
    const consumer = await sdk.consumer({ ...options, consumerName: 'sdk', batchSize: 2 });
    const theirs: string[] = [];
    consumer.on('message', (message: Sdk) => {
      theirs.push(message.getData().toString());
      assert.equal(message.getHeaders().k, 'v');
      message.ack();
    });
    consumer.on('error', () => {});
    const mine: string[] = [];
    for (let tries = 0; theirs.length + mine.length < 12 && tries < 40; tries++) {
      const fetch = { group: 'both', batchSize: 1, batchMaxWaitMs: 200, maxAckTimeMs: 5_000, maxMsgDeliveries: 3 };
      for (const message of await ours.fetchMessages(station, fetch)) {
        assert.equal(message.headers.k, 'v');
        mine.push(message.text());
        await message.ack();
      }
    }
    await sleep(500);
    assert.equal(theirs.length + mine.length, 12, 'nothing came twice');
    assert.equal(new Set([...theirs, ...mine]).size, 12, 'nothing is missing');
    await ours.station(station).destroy();
    await ours.close();
    await sdk.close();
  });
}
