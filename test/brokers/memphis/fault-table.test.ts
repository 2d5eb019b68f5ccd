/** The rest of what can go wrong with a Memphis broker: no answer, two answers, a broker that dies, hangs, or has changed its mind. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { isJson } from '../../../src/brokers/jetstream/wire/api.ts';
import { connect, isMemphisError, type Message } from '../../../src/index.ts';
import { type FaultScene, STATION, scene } from '../../support/memphis/scene.ts';

const fetchOptions = { group: 'g', maxAckTimeMs: 1_000, batchMaxWaitMs: 0 };

/** Fetches until something comes, whatever fails meanwhile. */
async function untilFetched({ memphis }: FaultScene): Promise<Message> {
  for (let tries = 0; tries < 30; tries++) {
    const [message] = await memphis.fetchMessages(STATION, { ...fetchOptions, batchMaxWaitMs: 500 }).catch((error) => {
      assert.ok(isMemphisError(error), String(error));
      return [];
    });
    if (message !== undefined) return message;
    await sleep(100);
  }
  return assert.fail('nothing came');
}

describe('faults of a Memphis broker', { concurrency: true }, () => {
  test('a request that makes something and gets no answer ends by its limit, and is not sent again', async (t) => {
    const { standIn, memphis } = await scene(t);
    standIn.faults.silent = ['$memphis_station_creations'];
    const startedAt = Date.now();
    await assert.rejects(memphis.createStation('x'), { code: 'TIMEOUT', retryable: true });
    assert.ok(Date.now() - startedAt < 30_000);
    const asked = standIn.tables.requests.filter(({ body }) => isJson(body) && body.name === 'x');
    assert.equal(asked.length, 0, 'the stand-in notes what it answers');
    standIn.faults.silent = [];
    assert.equal((await memphis.createStation('x')).name, 'x');
  });

  test('a second answer to a request changes nothing', async (t) => {
    const { standIn, memphis } = await scene(t);
    const lookAlike = '{"schema_update":{},"partitions_update":{"partitions_list":[]},"error":""}';
    standIn.faults.again = { $memphis_consumer_creations: lookAlike, $memphis_station_creations: 'what came late' };
    standIn.faults.text = { $memphis_consumer_creations: 'user does not exist' };
    await memphis.createStation('other');
    await memphis.produce(STATION, 'a');
    const [message] = await memphis.fetchMessages(STATION, fetchOptions);
    assert.equal(message?.text(), 'a');
    await assert.rejects(async () => message?.deadLetter('why'), { code: 'SETTLE_UNCONFIRMED' }, 'refused, not made');
    standIn.faults.text = {};
    const again = await untilFetched({ standIn, memphis, open: async () => memphis });
    await again.deadLetter('why');
    assert.equal(await memphis.station(STATION).deadLetters().count(), 1);
  });

  test('a broker that dies between the making of a group and its pull loses nothing', async (t) => {
    const stage = await scene(t, { storageType: 'file' });
    const { standIn, memphis } = stage;
    assert.deepEqual(await memphis.fetchMessages(STATION, fetchOptions), []);
    await memphis.produce(STATION, 'a');
    await standIn.server.kill();
    const fetching = untilFetched(stage);
    await sleep(300);
    await standIn.server.restart();
    const message = await fetching;
    assert.equal(message.text(), 'a');
    await message.ack();
    assert.deepEqual(await memphis.fetchMessages(STATION, fetchOptions), []);
  });

  test('a broker that was asked to stop and hangs keeps nobody waiting, and work goes on when it is started again', async (t) => {
    const stage = await scene(t);
    const { standIn, memphis } = stage;
    await memphis.produce(STATION, 'a');
    assert.equal((await memphis.fetchMessages(STATION, fetchOptions)).length, 1);
    standIn.relay.hang();
    const startedAt = Date.now();
    const fetching = memphis.fetchMessages(STATION, { ...fetchOptions, batchMaxWaitMs: 200 });
    await assert.rejects(fetching, (error) => isMemphisError(error) && error.retryable);
    assert.ok(Date.now() - startedAt < 30_000);
    standIn.relay.resume();
    const again = await untilFetched(stage);
    assert.deepEqual([again.text(), again.deliveryCount], ['a', 2]);
    await again.ack();
  });

  test('a user who is removed meanwhile is told so, and not dialled for again and again', async (t) => {
    const { standIn, memphis } = await scene(t);
    await memphis.produce(STATION, 'a');
    standIn.relay.revoke();
    const startedAt = Date.now();
    await assert.rejects(memphis.produce(STATION, 'b', { ackWaitMs: 8_000 }), { code: 'AUTHENTICATION_FAILED' });
    await assert.rejects(memphis.fetchMessages(STATION, fetchOptions), { code: 'AUTHENTICATION_FAILED' });
    assert.ok(Date.now() - startedAt < 30_000);
  });

  test('a token does not open a broker of passwords, nor does it wait for anything', async (t) => {
    const { standIn } = await scene(t);
    const { host, port } = new URL(standIn.url);
    const startedAt = Date.now();
    await assert.rejects(
      connect({ host: host.replace(/:\d+$/, ''), port: Number(port), username: 'root', connectionToken: 'memphis' }),
      { code: 'AUTHENTICATION_FAILED' },
    );
    assert.ok(Date.now() - startedAt < 30_000);
  });

  test('a broker without its database reads and settles; what needs the database is told that it is away', async (t) => {
    const stage = await scene(t);
    const { standIn, memphis, open } = stage;
    await memphis.produce(STATION, 'a');
    const words = 'failed to connect to `host=postgres user=memphis`: dial error (connection refused)';
    const reply = JSON.stringify({ error: words });
    standIn.faults.text = {
      $memphis_station_creations: words,
      $memphis_consumer_creations: words,
      $memphis_producer_creations: reply,
      $memphis_schema_creations: reply,
    };
    const [message] = await memphis.fetchMessages(STATION, fetchOptions);
    assert.equal(message?.text(), 'a');
    await message?.ack();
    const isAway = { code: 'BROKER_REFUSED', retryable: true, message: /connection refused/ };
    await assert.rejects(memphis.createStation('x'), isAway);
    // nobody can tell whether it keeps to the station's schema
    await assert.rejects((await open()).produce(STATION, 'unchecked'), isAway);
    await assert.rejects(memphis.createSchema('s', 'json', '{"type":"object"}'), isAway);
    // nothing could be kept of it now: it stays, and is set aside when that is over
    await memphis.produce(STATION, 'b');
    const [bad] = await memphis.fetchMessages(STATION, fetchOptions);
    await assert.rejects(async () => bad?.deadLetter('why'), { code: 'SETTLE_UNCONFIRMED' });
    standIn.faults.text = {};
    const again = await untilFetched(stage);
    assert.equal(again.text(), 'b');
    await again.deadLetter('why');
    assert.equal(await memphis.station(STATION).deadLetters().count(), 1);
  });
});
