/** What a process asks for first leaves together, and nothing is lost or taken that should not be by asking early. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connect } from '../../../src/index.ts';
import { startBroker } from '../../../src/testing/start-broker.ts';
import { recordFlights } from '../../support/flights.ts';
import { untilPending } from '../../support/pending.ts';
import { withRawApi } from '../../support/raw-api.ts';
import { serversUnderTest } from '../../support/servers.ts';

const isPull = (verb: string): boolean => verb.startsWith('PUB $JS.API.CONSUMER.MSG.NEXT.');
const isAck = (verb: string): boolean => verb.startsWith('PUB $JS.ACK.');

for (const { binary, version } of serversUnderTest()) {
  const on = `nats-server ${version}`;

  test(`${on}: the first request for messages leaves with all that has to be looked up`, async () => {
    await using broker = await startBroker({ binary });
    await using relay = await recordFlights(broker.port);
    const admin = await connect({ servers: [broker.url] });
    await admin.createStation('jobs', { storageType: 'memory' });
    assert.deepEqual(await admin.fetchMessages('jobs', { group: 'g', batchMaxWaitMs: 0 }), []);
    for (const text of ['a', 'b', 'c']) await admin.produce('jobs', text);

    const memphis = await connect({ servers: [relay.url] });
    relay.clear();
    const messages = await memphis.fetchMessages('jobs', { group: 'g', batchSize: 3, batchMaxWaitMs: 0 });
    await Promise.all(messages.map((message) => message.ack()));
    assert.deepEqual(
      messages.map((message) => message.text()),
      ['a', 'b', 'c'],
    );
    const [first = [], second = [], ...more] = relay.flights();
    assert.equal(first.filter(isPull).length, 1, first.join());
    assert.equal(second.filter(isAck).length, 3, second.join());
    assert.deepEqual(more, []);
    await memphis.close();
    await admin.close();
  });

  test(`${on}: a first request that brings nothing for a handler is followed by another one`, async () => {
    await using broker = await startBroker({ binary });
    const admin = await connect({ servers: [broker.url] });
    await admin.createStation('jobs', { storageType: 'memory' });
    for (const text of ['a', 'b', 'c', 'd', 'e']) await admin.produce('jobs', text);
    const seen = await admin.fetchMessages('jobs', { group: 'g', batchSize: 3, batchMaxWaitMs: 0 });
    await Promise.all(seen.map((message) => message.nack()));

    const memphis = await connect({ servers: [broker.url] });
    const options = { group: 'g', batchSize: 3, batchMaxWaitMs: 0, maxMsgDeliveries: 1 };
    assert.deepEqual(
      (await memphis.fetchMessages('jobs', options)).map((message) => message.text()),
      ['d', 'e'],
      'those behind the ones that have no deliveries left',
    );
    await memphis.close();
    await admin.close();
  });

  test(`${on}: a first message leaves with the look-up of its station, and the next ones take turns`, async () => {
    await using broker = await startBroker({ binary });
    await using relay = await recordFlights(broker.port);
    const admin = await connect({ servers: [broker.url] });
    await admin.createStation('jobs', { storageType: 'memory', partitionsNumber: 2 });

    const memphis = await connect({ servers: [relay.url] });
    relay.clear();
    const receipts = [await memphis.produce('jobs', 'a')];
    const [first = [], ...more] = relay.flights();
    assert.ok(first.includes('PUB jobs$1.final'), first.join());
    assert.deepEqual(more, []);
    receipts.push(await memphis.produce('jobs', 'b'), await memphis.produce('jobs', 'c'));
    assert.deepEqual(
      receipts.map(({ partition }) => partition),
      [1, 2, 1],
    );
    await memphis.close();
    await admin.close();
  });

  test(`${on}: a first message whose id or key decides on its partition waits for the look-up`, async () => {
    await using broker = await startBroker({ binary });
    const admin = await connect({ servers: [broker.url] });
    await admin.createStation('jobs', { storageType: 'memory', partitionsNumber: 7 });
    for (const options of [{ msgId: 'an id' }, { partitionKey: 'a key' }]) {
      const places: number[] = [];
      for (const _ of [1, 2, 3]) {
        const memphis = await connect({ servers: [broker.url] });
        places.push((await memphis.produce('jobs', 'a', options)).partition);
        await memphis.close();
      }
      assert.equal(new Set(places).size, 1, places.join());
    }
    await admin.close();
  });

  test(`${on}: a first message finds a station that has no partition 1, and none that is not there`, async () => {
    await using broker = await startBroker({ binary });
    const stream = { name: 'old', subjects: ['old.final'], storage: 'memory', retention: 'limits', num_replicas: 1 };
    await withRawApi(broker.port, (api) => api('STREAM.CREATE.old', stream));
    const memphis = await connect({ servers: [broker.url] });
    assert.deepEqual(await memphis.produce('old', 'a'), {
      station: 'old',
      partition: 0,
      sequence: 1,
      duplicate: false,
    });
    await assert.rejects(memphis.produce('new', 'a'), { code: 'STATION_NOT_FOUND' });
    const willing = await connect({ servers: [broker.url], createStationOnFirstUse: true });
    assert.equal((await willing.produce('new', 'a')).sequence, 1);
    await willing.close();
    await memphis.close();
  });

  test(`${on}: a batch of several partitions takes one flight more than the first partition's`, async () => {
    await using broker = await startBroker({ binary });
    await using relay = await recordFlights(broker.port);
    const admin = await connect({ servers: [broker.url] });
    await admin.createStation('jobs', { storageType: 'memory', partitionsNumber: 3 });
    assert.deepEqual(await admin.fetchMessages('jobs', { group: 'g', batchMaxWaitMs: 0 }), []);
    for (const partition of [1, 2, 3, 1, 2, 3]) await admin.produce('jobs', `${partition}`, { partition });

    const memphis = await connect({ servers: [relay.url] });
    const some = await memphis.fetchMessages('jobs', { group: 'g', batchSize: 2, batchMaxWaitMs: 0 });
    assert.deepEqual(
      some.map((message) => message.text()),
      ['1', '1'],
      'full after the first flight',
    );
    const rest = await memphis.fetchMessages('jobs', { group: 'g', batchSize: 10, batchMaxWaitMs: 0 });
    assert.deepEqual(rest.map((message) => message.text()).sort(), ['2', '2', '3', '3']);
    for (const message of [...some, ...rest]) {
      assert.equal(message.deliveryCount, 1);
      await message.ack();
    }
    await memphis.close();
    await admin.close();
  });

  test(`${on}: of a station without partition 1, of a new group and of no station the truth is told`, async () => {
    await using broker = await startBroker({ binary });
    const memphis = await connect({ servers: [broker.url] });
    await assert.rejects(memphis.fetchMessages('jobs', { group: 'g', batchMaxWaitMs: 0 }), {
      code: 'STATION_NOT_FOUND',
    });
    await memphis.createStation('jobs', { storageType: 'memory' });
    await memphis.produce('jobs', 'a');
    const [message] = await memphis.fetchMessages('jobs', { group: 'new', batchMaxWaitMs: 0 });
    assert.equal(message?.text(), 'a');
    await message?.ack();
    await memphis.close();
  });

  test(`${on}: nothing is taken early from a partition that was not asked for`, async () => {
    await using broker = await startBroker({ binary });
    const memphis = await connect({ servers: [broker.url] });
    await memphis.createStation('jobs', { storageType: 'memory' });
    assert.deepEqual(await memphis.fetchMessages('jobs', { group: 'g', batchMaxWaitMs: 0 }), []);
    await memphis.produce('jobs', 'a');
    await untilPending(memphis, 'jobs', 'g', 1);
    await assert.rejects(memphis.fetchMessages('jobs', { group: 'g', partition: 2, batchMaxWaitMs: 0 }), {
      code: 'PARTITION_NOT_FOUND',
    });
    const [message] = await memphis.fetchMessages('jobs', { group: 'g', batchMaxWaitMs: 0 });
    assert.equal(message?.deliveryCount, 1);
    await message?.ack();
    await memphis.close();
  });

  test(`${on}: what came early is given back at once when the station turns out to be closed to this user`, async () => {
    const users = [
      '{ user: admin, password: a }',
      '{ user: reader, password: r, permissions: { publish: { deny: ["$JS.API.STREAM.>"] } } }',
    ];
    await using broker = await startBroker({ binary, config: `authorization { users: [${users.join()}] }` });
    const at = { servers: [broker.url] };
    const admin = await connect({ ...at, username: 'admin', password: 'a' });
    await admin.createStation('jobs', { storageType: 'memory' });
    assert.deepEqual(await admin.fetchMessages('jobs', { group: 'g', batchMaxWaitMs: 0 }), []);
    await admin.produce('jobs', 'a');
    const reader = await connect({ ...at, username: 'reader', password: 'r' });
    await assert.rejects(reader.fetchMessages('jobs', { group: 'g', batchMaxWaitMs: 0 }), {
      code: 'PERMISSION_DENIED',
    });
    await reader.close();
    const [message] = await admin.fetchMessages('jobs', { group: 'g', batchMaxWaitMs: 5_000 });
    assert.equal(message?.deliveryCount, 2, 'long before its time to settle is over');
    await message?.ack();
    await admin.close();
  });

  test(`${on}: what came early by its only delivery, and was given back, comes to a handler`, async () => {
    const users = [
      '{ user: admin, password: a }',
      '{ user: reader, password: r, permissions: { publish: { deny: ["$JS.API.STREAM.NAMES", "$JS.API.STREAM.INFO.>"] } } }',
    ];
    const config = `authorization { users: [${users.join()}] }\nno_auth_user: admin`;
    await using broker = await startBroker({ binary, config });
    const admin = await connect({ servers: [broker.url] });
    await admin.createStation('jobs', { storageType: 'memory' });
    const options = { group: 'g', maxMsgDeliveries: 1, batchMaxWaitMs: 0 };
    assert.deepEqual(await admin.fetchMessages('jobs', options), []);
    await admin.produce('jobs', 'a');
    // without its record the station's streams are looked for, which the other user may not do
    const record = { filter: '$KV.memphis_serverless.station.jobs' };
    await withRawApi(broker.port, (api) => api('STREAM.PURGE.KV_memphis_serverless', record));
    const reader = await connect({ servers: [broker.url], username: 'reader', password: 'r' });
    await assert.rejects(reader.fetchMessages('jobs', options), { code: 'PERMISSION_DENIED' });
    await reader.close();
    const [message] = await admin.fetchMessages('jobs', { ...options, batchMaxWaitMs: 5_000 });
    assert.deepEqual([message?.text(), message?.deliveryCount], ['a', 1]);
    await message?.ack();
    await admin.close();
  });

  test(`${on}: who may not look at a group takes its messages early once, and not at each invocation`, async () => {
    const users = [
      '{ user: admin, password: a }',
      '{ user: reader, password: r, permissions: { publish: { deny: ["$JS.API.CONSUMER.INFO.>"] } } }',
    ];
    await using broker = await startBroker({ binary, config: `authorization { users: [${users.join()}] }` });
    const at = { servers: [broker.url] };
    const admin = await connect({ ...at, username: 'admin', password: 'a' });
    await admin.createStation('jobs', { storageType: 'memory' });
    const group = { group: 'g', maxAckTimeMs: 1_000 };
    assert.deepEqual(await admin.fetchMessages('jobs', { ...group, batchMaxWaitMs: 0 }), []);
    await admin.produce('jobs', 'a');
    const reader = await connect({ ...at, username: 'reader', password: 'r' });
    for (const _ of [1, 2, 3, 4, 5]) {
      const fetched = reader.fetchMessages('jobs', { ...group, batchMaxWaitMs: 0 });
      await assert.rejects(fetched, { code: 'PERMISSION_DENIED' });
    }
    await reader.close();
    const [message] = await admin.fetchMessages('jobs', { ...group, batchMaxWaitMs: 5_000 });
    assert.ok(message !== undefined && message.deliveryCount <= 2, `delivered ${message?.deliveryCount} times`);
    await message.ack();
    await admin.close();
  });

  test(`${on}: who may not look at a group asks it early once, whether that brings something or not`, async () => {
    const users = [
      '{ user: admin, password: a }',
      '{ user: reader, password: r, permissions: { publish: { deny: ["$JS.API.CONSUMER.INFO.>"] } } }',
    ];
    await using broker = await startBroker({ binary, config: `authorization { users: [${users.join()}] }` });
    await using relay = await recordFlights(broker.port);
    const admin = await connect({ servers: [broker.url], username: 'admin', password: 'a' });
    await admin.createStation('jobs', { storageType: 'memory' });
    assert.deepEqual(await admin.fetchMessages('jobs', { group: 'g', batchMaxWaitMs: 0 }), []);
    const reader = await connect({ servers: [relay.url], username: 'reader', password: 'r' });
    for (const _ of [1, 2, 3]) {
      const fetched = reader.fetchMessages('jobs', { group: 'g', batchMaxWaitMs: 0 });
      await assert.rejects(fetched, { code: 'PERMISSION_DENIED' });
    }
    assert.equal(relay.flights().flat().filter(isPull).length, 1);
    await reader.close();
    await admin.close();
  });
}
