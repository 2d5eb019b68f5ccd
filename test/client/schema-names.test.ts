/**
 * Functions without a codec at stations that have a schema, or get one. The type of that schema is none, so that no codec
 * is found installed either; where one is, at the end, it stays with this process.
 */

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { openLean } from '../../src/connection/lean/session.ts';
import { type Client, connect, type Payload } from '../../src/index.ts';
import { withMemphis, withProducer } from '../../src/lambda/index.ts';
import { makeContext } from '../../src/testing/index.ts';
import { type RunningBroker, startBroker } from '../../src/testing/start-broker.ts';
import { memphisBrokers } from '../support/memphis/brokers.ts';
import { serversUnderTest } from '../support/servers.ts';

const [server] = serversUnderTest();

/** A function that produces what its event holds, and says how that went. */
function makeProducer(url: string, station: string): (event: Payload) => Promise<string> {
  const handler = withProducer(
    async (event: Payload, { produce }) => {
      try {
        await produce(event);
        return 'stored';
      } catch (error) {
        return `${(error as { code?: string }).code} ${(error as Error).message}`;
      }
    },
    { servers: [url], station },
  );
  return async (event) => String(await handler(event, makeContext()));
}

/** Tries until it ends otherwise: a look at a station has a second, which a busy machine may not have. @returns how it ended then */
async function until(isDone: (outcome: string) => boolean, attempt: () => Promise<string>): Promise<string> {
  for (let tries = 1; ; tries++) {
    const outcome = await attempt();
    if (isDone(outcome) || tries === 10) return outcome;
  }
}

/** Consumes once. @returns the texts of messages, and their values or the codes of errors */
async function consume(url: string, station: string): Promise<readonly unknown[]> {
  const told: unknown[] = [];
  const handler = withMemphis(
    async (messages) => {
      for (const message of messages) {
        told.push(message.text());
        try {
          told.push(message.value());
        } catch (error) {
          told.push((error as { code?: string }).code);
        }
      }
    },
    { servers: [url], station, group: 'g' },
  );
  await handler({}, makeContext());
  return told;
}

test('a function on a Memphis broker learns from its registration that there is a schema, and that there is none any more', async () => {
  const { open } = memphisBrokers[0] ?? assert.fail('no broker');
  await using broker = await open();
  const { tables } = broker.standIn ?? assert.fail('no stand-in');
  const memphis = await connect({ servers: [broker.url], ...(broker.apiUrl && { apiUrl: broker.apiUrl }) });
  try {
    const versions = [{ content: '<a/>', createdAt: new Date() }];
    tables.schemas.set('odd', { name: 'odd', type: 'xml', versions, active: 1 });
    await memphis.createStation('orders', { storageType: 'memory' });
    await memphis.produce('orders', { id: 1 });
    await memphis.attachSchema('odd', 'orders');
    const produce = makeProducer(broker.url, 'orders');
    // the first ones do not wait for what its registration is answered
    let told = await produce({ id: 2 });
    for (let tries = 0; told === 'stored' && tries < 100; tries++) {
      await sleep(50);
      told = await produce({ id: 3 });
    }
    assert.match(told, /^DEPENDENCY_MISSING Schema odd .*memphis-serverless\/schemas\/xml'/);
    await memphis.detachSchema('orders');
    assert.equal(await produce({ id: 4 }), 'stored');
  } finally {
    await memphis.close();
  }
});

describe('functions without a codec', () => {
  let broker: RunningBroker;
  let memphis: Client;
  before(async () => {
    broker = await startBroker({ binary: server?.binary ?? assert.fail('no server') });
    memphis = await connect({ servers: [broker.url] });
    await memphis.createStation('first', { storageType: 'memory' }); // makes the bucket
    const connection = openLean({ server: `127.0.0.1:${broker.port}`, name: 'test', timeoutMs: 2_000 });
    for (const [name, type, source] of [
      ['odd', 'xml', '<a/>'],
      ['order', 'json', '{"required":["id"]}'],
    ]) {
      const record = new TextEncoder().encode(JSON.stringify({ name, type, version: 1, source }));
      await connection.request(`$KV.memphis_serverless.schema.${name}`, record, { timeoutMs: 2_000 });
    }
    await connection.close();
  });
  after(async () => {
    await memphis.close();
    await broker.stop();
  });

  test('one that is awake refuses from half a minute after its station got a schema on, until that is gone', async (t) => {
    await memphis.createStation('awake', { storageType: 'memory' });
    let stored = 0;
    const send = makeProducer(broker.url, 'awake');
    const produce = async (text: string): Promise<string> => {
      const outcome = await send(text);
      if (outcome === 'stored') stored += 1;
      return outcome;
    };
    assert.equal(await produce('1'), 'stored');
    await memphis.attachSchema('odd', 'awake');
    assert.equal(await produce('2'), 'stored', 'what is known is young');
    t.mock.timers.enable({ apis: ['Date'], now: Date.now() + 31_000 });
    assert.equal(await produce('3'), 'stored', 'the look is not waited for');
    const refused = await until(
      (outcome) => outcome !== 'stored',
      async () => {
        t.mock.timers.tick(31_000);
        return await produce('4');
      },
    );
    assert.match(refused, /^DEPENDENCY_MISSING Schema odd .*import 'memphis-serverless\/schemas\/xml'/);
    await memphis.detachSchema('awake');
    await until(
      (outcome) => outcome === 'stored',
      () => produce('5'),
    );
    assert.equal(await produce('6'), 'stored');
    assert.equal((await memphis.describeStation('awake')).messages, stored);
  });

  test('one that is new stores nothing, and reads bytes', async () => {
    await memphis.createStation('new', { storageType: 'memory' });
    await memphis.produce('new', { id: 1 });
    await memphis.attachSchema('odd', 'new');
    assert.match(await makeProducer(broker.url, 'new')({ id: 2 }), /^DEPENDENCY_MISSING/);
    assert.equal((await memphis.describeStation('new')).messages, 1);
    assert.deepEqual(await consume(broker.url, 'new'), ['{"id":1}', 'DEPENDENCY_MISSING']);
  });

  test('a codec that is found installed is used at once, where nobody expected a schema before', async (t) => {
    t.mock.method(console, 'error', () => {}); // what does not fit
    await memphis.createStation('found', { storageType: 'memory' });
    const produce = makeProducer(broker.url, 'found');
    assert.equal(await produce({ id: 1 }), 'stored');
    assert.equal(await produce({ name: 'no id' }), 'stored');
    await memphis.attachSchema('order', 'found');
    t.mock.timers.enable({ apis: ['Date'], now: Date.now() + 31_000 });
    assert.equal(await produce({ name: 'no id' }), 'stored', 'the look is not waited for');
    const refused = await until(
      (outcome) => outcome !== 'stored',
      async () => {
        t.mock.timers.tick(31_000);
        return await produce({ name: 'no id' });
      },
    );
    assert.match(refused, /^SCHEMA_VIOLATION/);
    assert.equal(await produce({ id: 2 }), 'stored');
    assert.deepEqual(await consume(broker.url, 'found'), ['{"id":1}', { id: 1 }, '{"id":2}', { id: 2 }]);
  });
});
