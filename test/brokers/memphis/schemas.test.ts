/** Schemas on a Memphis broker: made, attached, kept to, and what breaks them is told to the broker. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import '../../../src/schemas/json.ts';
import { MemphisBroker } from '../../../src/brokers/memphis/broker.ts';
import { createSchema } from '../../../src/brokers/memphis/wire/schema-creation.ts';
import { connect, isMemphisError } from '../../../src/index.ts';
import { freshName, memphisBrokers } from '../../support/memphis/brokers.ts';
import { startStandIn } from '../../support/memphis/stand-in.ts';

const schema = { type: 'object', required: ['id'], properties: { id: { type: 'number' } } };

test('what a registration was answered before a change, and heard behind it, changes nothing', async () => {
  await using standIn = await startStandIn();
  const options = { servers: [standIn.url], apiUrl: standIn.apiUrl };
  const [memphis, other] = [await connect(options), await connect(options)];
  try {
    const [station, name] = [freshName('crossed'), freshName('order')];
    await memphis.createSchema(name, 'json', schema);
    await memphis.createStation(station, { storageType: 'memory' });
    standIn.faults.heldMs = { $memphis_consumer_creations: 600 };
    const consumer = await memphis.createConsumer(station, { group: 'g', batchMaxWaitMs: 0 });
    await consumer.fetch(); // the group is registered beside it
    await memphis.produce(station, { id: 'free' });
    await other.attachSchema(name, station);
    await sleep(200); // heard of the change
    await assert.rejects(memphis.produce(station, { id: 'text' }), { code: 'SCHEMA_VIOLATION' });
    await sleep(800); // heard the answer
    await assert.rejects(memphis.produce(station, { id: 'text' }), { code: 'SCHEMA_VIOLATION' });
  } finally {
    await Promise.all([memphis.close(), other.close()]);
  }
});

for (const { name: on, open } of memphisBrokers) {
  test(`${on}: a station keeps to its schema, and what breaks it is reported`, async () => {
    await using broker = await open();
    const memphis = await connect({ servers: [broker.url], ...(broker.apiUrl && { apiUrl: broker.apiUrl }) });
    const [station, name] = [freshName('kept'), freshName('order')];
    assert.equal((await memphis.createSchema(name, 'json', schema)).created, true);
    assert.equal((await memphis.createSchema(name, 'json', schema)).created, false);
    await assert.rejects(memphis.createSchema(name, 'graphql', 'type Query { a: Int }'));
    await memphis.createStation(station, { storageType: 'memory', schemaName: name });
    const consumer = await memphis.createConsumer(station, { group: 'g', batchMaxWaitMs: 2_000 });
    await memphis.produce(station, { id: 1 });
    const [message] = await consumer.fetch();
    assert.deepEqual(message?.value(), { id: 1 });
    await message?.ack();
    await assert.rejects(memphis.produce(station, { id: 'text' }), { code: 'SCHEMA_VIOLATION' });
    if (broker.standIn !== undefined) {
      await sleep(50);
      const [row] = broker.standIn.tables.deadLetters;
      assert.deepEqual([row?.type, row?.data.toString()], ['schema', '{"id":"text"}']);
    }
    await memphis.detachSchema(station);
    await memphis.produce(station, { id: 'text' });
    await memphis.attachSchema(name, station);
    await assert.rejects(memphis.produce(station, { id: 'text' }), { code: 'SCHEMA_VIOLATION' });
    await assert.rejects(memphis.attachSchema('no-such', station), { code: 'SCHEMA_NOT_FOUND' });
    await assert.rejects(memphis.createStation(freshName('x'), { schemaName: 'no-such' }), {
      code: 'SCHEMA_NOT_FOUND',
    });
    // what another client changes is heard
    const other = await connect({ servers: [broker.url], ...(broker.apiUrl && { apiUrl: broker.apiUrl }) });
    await other.detachSchema(station);
    await sleep(300);
    await memphis.produce(station, { id: 'text' });
    await other.attachSchema(name, station);
    await sleep(300);
    await assert.rejects(memphis.produce(station, { id: 'text' }), { code: 'SCHEMA_VIOLATION' });
    await other.close();
    await memphis.station(station).destroy();
    await memphis.close();
  });

  test(`${on}: what was refused is listed, whole and with its reason, dropped, and never put back`, async () => {
    await using broker = await open();
    const memphis = await connect({ servers: [broker.url], ...(broker.apiUrl && { apiUrl: broker.apiUrl }) });
    try {
      const [station, quiet, name] = ['refused', 'quiet', 'order'].map(freshName) as [string, string, string];
      await memphis.createSchema(name, 'json', schema);
      await memphis.createStation(station, { storageType: 'memory', schemaName: name });
      await memphis.createStation(quiet, { storageType: 'memory', schemaName: name, sendSchemaFailedMsgToDls: false });
      const long = { id: 'x'.repeat(1_000) };
      for (const message of [{ id: 'text' }, long]) {
        for (const to of [station, quiet]) {
          const produced = memphis.produce(to, message, { headers: { a: 'ü' } });
          await assert.rejects(produced, { code: 'SCHEMA_VIOLATION' });
        }
      }
      const letters = memphis.station(station).deadLetters();
      for (let tries = 0; tries < 100 && (await letters.count()) < 2; tries++) await sleep(100); // a round of the broker takes 5 s
      assert.equal(await letters.count({ group: '$refused' }), 2);
      const [first, second] = await letters.list({ group: '$refused' });
      assert.deepEqual([first?.json(), second?.json()], [{ id: 'text' }, long]);
      assert.match(first?.reason ?? '', /^The message does not satisfy schema .* at id: must be number$/);
      assert.deepEqual([first?.group, first?.headers.a], ['$refused', 'ü']);
      assert.equal((await letters.get(second?.id ?? 0)).data.length, second?.data.length);
      const results = await letters.redriveAll();
      assert.deepEqual(
        results.map(({ outcome, error }) => [outcome, (error as { code?: string }).code]),
        [
          ['failed', 'INVALID_MESSAGE'],
          ['failed', 'INVALID_MESSAGE'],
        ],
      );
      assert.equal(await letters.drop([first?.id ?? 0]), 1);
      assert.deepEqual(
        (await letters.list()).map(({ id }) => id),
        [second?.id],
      );
      assert.equal(await letters.dropAll({ group: '$refused' }), 1);
      assert.deepEqual(await letters.list(), []);
      assert.deepEqual(await memphis.station(quiet).deadLetters().list(), []);
      for (const one of [station, quiet]) await memphis.station(one).destroy();
    } finally {
      await memphis.close();
    }
  });

  test(`${on}: what the broker takes for a schema and no library does, pushed, refuses messages until it is replaced`, async () => {
    await using broker = await open();
    const options = { servers: [broker.url], ...(broker.apiUrl && { apiUrl: broker.apiUrl }) };
    const [memphis, other] = [await connect(options), await connect(options)];
    const [station, free, good, bad] = ['pushed', 'free', 'good', 'bad'].map(freshName) as [
      string,
      string,
      string,
      string,
    ];
    try {
      const driver = await other.session.broker();
      assert.ok(driver instanceof MemphisBroker);
      const content = { name: bad, type: 'json', source: '{"enum":[]}' } as const; // as others make it, unlooked at
      await createSchema(await driver.link.ready(Date.now() + 5_000), content, 5_000);
      await memphis.createSchema(good, 'json', schema);
      for (const name of [station, free]) await memphis.createStation(name, { storageType: 'memory' });
      const producer = await memphis.createProducer(station);
      const until = async (isDone: (outcome: unknown) => boolean): Promise<void> => {
        for (let tries = 0; tries < 100; tries++) {
          if (isDone(await producer.produce({ id: 1 }).catch((error: unknown) => error))) return;
          await sleep(50);
        }
        assert.fail('it was not heard');
      };
      await until((outcome) => !isMemphisError(outcome));
      await other.attachSchema(bad, station);
      await until((outcome) => isMemphisError(outcome, 'SCHEMA_INVALID'));
      await memphis.produce(free, { id: 'anything' });
      assert.ok(memphis.isConnected());
      await other.attachSchema(good, station);
      await until((outcome) => !isMemphisError(outcome));
      await assert.rejects(producer.produce({ id: 'text' }), { code: 'SCHEMA_VIOLATION' });
      for (const name of [station, free]) await memphis.station(name).destroy();
    } finally {
      await other.close();
      await memphis.close();
    }
  });

  test(`${on}: protobuf text that would end the broker never reaches it`, async () => {
    await using broker = await open();
    const memphis = await connect({ servers: [broker.url], ...(broker.apiUrl && { apiUrl: broker.apiUrl }) });
    for (const text of [
      'syntax = "proto3";',
      'syntax = "proto3"; enum E { A = 0; }',
      'syntax = "proto3"; // message A {}',
      'syntax = "proto3"; import "a.proto"; message A {}',
    ]) {
      await assert.rejects(memphis.createSchema(freshName('p'), 'protobuf', text), (error: { code?: string }) =>
        ['SCHEMA_INVALID', 'DEPENDENCY_MISSING'].includes(error.code ?? ''),
      );
    }
    await memphis.close();
  });
}

test('what breaks a schema is reported once where the station says so, and told to whoever asked for it', async () => {
  const { open } = memphisBrokers[0] ?? assert.fail('no broker');
  await using broker = await open();
  const tables = broker.standIn?.tables ?? assert.fail('no stand-in');
  const memphis = await connect({ servers: [broker.url], ...(broker.apiUrl && { apiUrl: broker.apiUrl }) });
  const name = freshName('order');
  await memphis.createSchema(name, 'json', schema);
  const refuse = async (sendSchemaFailedMsgToDls: boolean): Promise<readonly number[]> => {
    const [letters, notifications] = [tables.deadLetters.length, tables.notifications.length];
    const station = freshName('told');
    await memphis.createStation(station, { storageType: 'memory', schemaName: name, sendSchemaFailedMsgToDls });
    const producer = await memphis.createProducer(station, { name: 'teller' });
    await producer.produce({ id: 1 });
    await assert.rejects(producer.produce({ id: 'ä' }, { headers: { k: 'v' } }), { code: 'SCHEMA_VIOLATION' });
    await producer.produce({ id: 2 }); // behind it, so that the broker has heard what there is
    await sleep(50);
    return [tables.deadLetters.length - letters, tables.notifications.length - notifications];
  };
  try {
    assert.deepEqual(await refuse(true), [1, 0]);
    const row = tables.deadLetters.at(-1);
    assert.deepEqual([row?.type, row?.data.toString(), row?.headers.k], ['schema', '{"id":"ä"}', 'v']);
    assert.deepEqual(await refuse(false), [0, 0]);
    tables.wantsNotifications = true;
    assert.deepEqual(await refuse(true), [1, 1]);
    assert.match(JSON.stringify(tables.notifications), /Schema validation has failed.*teller/);
    assert.deepEqual(await refuse(false), [0, 0], 'who keeps none is told of none');
  } finally {
    await memphis.close();
  }
});
