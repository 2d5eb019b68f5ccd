/**
 * Stations with a schema in a process that imports no codec. No test here imports one: what is found is found by the
 * client itself.
 */

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { openLean } from '../../src/connection/lean/session.ts';
import { type Client, connect } from '../../src/index.ts';
import { type RunningBroker, startBroker } from '../../src/testing/start-broker.ts';
import { serversUnderTest } from '../support/servers.ts';

const [server] = serversUnderTest();

describe('a schema that nobody expected', () => {
  let broker: RunningBroker;
  let memphis: Client;
  before(async () => {
    broker = await startBroker({ binary: (server as NonNullable<typeof server>).binary });
    memphis = await connect({ servers: [broker.url] });
    await memphis.createStation('first', { storageType: 'memory' }); // makes the bucket
    const connection = openLean({ server: `127.0.0.1:${broker.port}`, name: 'test', timeoutMs: 2_000 });
    const put = (name: string, record: object) =>
      connection.request(`$KV.memphis_serverless.schema.${name}`, new TextEncoder().encode(JSON.stringify(record)), {
        timeoutMs: 2_000,
      });
    await put('by-others', { name: 'by-others', type: 'json', version: 1, source: '{"required":["id"]}' });
    await put('odd', { name: 'odd', type: 'xml', version: 1, source: '<a/>' });
    await put('broken', { name: 'broken', type: 'json', version: 1, source: '{' });
    await connection.close();
  });
  after(async () => {
    await memphis.close();
    await broker.stop();
  });

  test('a first message that left before the schema was known is taken back, and refused', async () => {
    await memphis.createStation('orders', { storageType: 'memory', schemaName: 'by-others' });
    const stranger = await connect({ servers: [broker.url] });
    try {
      await assert.rejects(stranger.produce('orders', { name: 'no id' }), { code: 'SCHEMA_VIOLATION' });
      assert.equal((await memphis.describeStation('orders')).messages, 0);
      assert.equal(await memphis.deadLetters('orders').count(), 1);
      assert.equal((await stranger.produce('orders', { id: 1 })).sequence, 2);
    } finally {
      await stranger.close();
    }
  });

  test('a type that is none, or a schema that is broken, refuses producing and leaves bytes readable', async () => {
    for (const schemaName of ['odd', 'broken']) {
      const name = `with-${schemaName}`;
      await memphis.createStation(name, { storageType: 'memory' });
      await memphis.produce(name, { id: 1 });
      await memphis.attachSchema(schemaName, name);
      await assert.rejects(memphis.produce(name, { id: 1 }), { code: 'SCHEMA_INVALID' }, schemaName);
      const [message] = await memphis.fetchMessages(name, { group: 'g' });
      assert.deepEqual(message?.json(), { id: 1 });
      assert.throws(() => message?.value(), { code: 'SCHEMA_INVALID' });
      await memphis.detachSchema(name);
      await memphis.produce(name, { id: 1 });
    }
  });

  test('a schema that exists keeps its type', async () => {
    await assert.rejects(memphis.createSchema('odd', 'json', '{}'), { code: 'SCHEMA_CONFLICT' });
  });
});
