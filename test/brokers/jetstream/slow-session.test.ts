/** A session that is replaced because another one answers first may only be slow: what it still carries is handed over. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from '../../../src/index.ts';
import { startBroker } from '../../../src/testing/start-broker.ts';
import { startProxy } from '../../support/proxy.ts';
import { serversUnderTest } from '../../support/servers.ts';

for (const { binary, version } of serversUnderTest()) {
  test(`nats-server ${version}: a message on its way to one who waits survives that somebody else has the session replaced`, async () => {
    await using broker = await startBroker({ binary });
    await using proxy = await startProxy(broker.port);
    const admin = await connect({ servers: [broker.url] });
    for (const station of ['jobs', 'other']) await admin.createStation(station, { storageType: 'memory' });
    const memphis = await connect({ servers: [proxy.url] });
    const consumer = await memphis.createConsumer('jobs', { group: 'g', batchSize: 1 });
    await memphis.produce('other', 'first');
    const waiting = consumer.fetch({ batchSize: 1, batchMaxWaitMs: 5_000 });
    await sleep(1_500); // silent for long enough to be asked whether it lives, and not yet for a sign of life
    proxy.slowDown(400);
    await admin.produce('jobs', 'on its way');
    await memphis.produce('other', 'second');
    const [message] = await waiting;
    assert.equal(message?.text(), 'on its way');
    assert.equal(message?.deliveryCount, 1);
    await message?.ack();
    await memphis.close();
    await admin.close();
  });
}
