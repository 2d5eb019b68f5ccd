/** `createStationOnFirstUse` on a Memphis broker, which refuses whoever makes a station that another one is making. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connect } from '../../../src/index.ts';
import { freshName, memphisBrokers } from '../../support/memphis/brokers.ts';

for (const { name, open } of memphisBrokers) {
  test(`${name}: whoever uses a missing station first makes it, alone or with others at the same time`, async () => {
    await using broker = await open();
    const connectOne = () => connect({ servers: [broker.url], createStationOnFirstUse: true });
    const clients = await Promise.all([connectOne(), connectOne(), connectOne(), connectOne()]);
    const [alone] = clients;
    const read = freshName('read');
    assert.deepEqual(await alone?.fetchMessages(read, { group: 'g', batchMaxWaitMs: 0 }), []);
    const produced = freshName('produced');
    await Promise.all(clients.map((client) => client.produce(produced, 'x')));
    const messages = await alone?.fetchMessages(produced, { group: 'g', batchMaxWaitMs: 0 });
    assert.equal(messages?.length, 4);
    for (const station of [read, produced]) await alone?.destroyStation(station);
    await Promise.all(clients.map((client) => client.close()));
  });
}
