/** What goes wrong with a Memphis broker: a typed error or recovery, in time, and nothing lost. */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { callApi } from '../../../src/brokers/jetstream/wire/api.ts';
import { openLean } from '../../../src/connection/lean/session.ts';
import { connect, isMemphisError } from '../../../src/index.ts';
import { DeadLetter, withMemphis } from '../../../src/lambda/index.ts';
import { makeContext } from '../../../src/testing/make-context.ts';
import { STATION, scene } from '../../support/memphis/scene.ts';

const fetchOptions = { group: 'g', maxAckTimeMs: 1_000, batchMaxWaitMs: 0 };

test('a registration without an answer holds up no message, and a function ends all the same', async (t) => {
  const { standIn, memphis } = await scene(t);
  standIn.faults.silent = ['$memphis_consumer_creations'];
  await memphis.produce(STATION, 'a');
  const startedAt = Date.now();
  const [message] = await memphis.fetchMessages(STATION, fetchOptions);
  assert.equal(message?.text(), 'a');
  await message?.ack();
  assert.ok(Date.now() - startedAt < 5_000, 'a registration has twenty seconds');
});

test('a registration without an answer does not hold up the partitions that are asked later', async (t) => {
  const { standIn, memphis, open } = await scene(t, { partitionsNumber: 2 });
  const options = { ...fetchOptions, batchSize: 1, maxAckTimeMs: 30_000 };
  assert.deepEqual(await memphis.fetchMessages(STATION, options), []);
  for (const partition of [1, 2]) await memphis.produce(STATION, `${partition}`, { partition });
  standIn.faults.silent = ['$memphis_consumer_creations'];
  const other = await open();
  const startedAt = Date.now();
  for (const text of ['1', '2']) {
    const [message] = await other.fetchMessages(STATION, options);
    assert.equal(message?.text(), text);
    await message?.ack();
  }
  assert.ok(Date.now() - startedAt < 5_000, 'a registration has twenty seconds');
});

test('an ordered group whose registration has no answer fails within the time of its function', async (t) => {
  const { standIn, memphis } = await scene(t);
  await memphis.produce(STATION, 'a');
  standIn.faults.silent = ['$memphis_consumer_creations'];
  const options = { servers: [standIn.url], station: STATION, group: 'g', ordered: true, batchMaxWaitMs: 0 };
  const startedAt = Date.now();
  await assert.rejects(withMemphis(async () => {}, options)({}, makeContext({ timeoutMs: 2_000 })));
  assert.ok(Date.now() - startedAt < 5_000, 'a registration has twenty seconds');
});

test('the broker hears of a new group before its first message, whose handler may be the end of the process', async (t) => {
  const { standIn, memphis } = await scene(t);
  await memphis.produce(STATION, 'a');
  const script = path.join(import.meta.dirname, '../../support/crashing-function.ts');
  const args = ['--conditions=@memphis-serverless/source', script, 'in-handler', standIn.url, STATION, 'g'];
  // all of it comes in one turn where all left in one flight
  const env = { ...process.env, MEMPHIS_BROKER: 'memphis', MEMPHIS_TLS: 'false' };
  const [code, signal] = await once(spawn(process.execPath, args, { env, stdio: 'ignore' }), 'exit');
  assert.deepEqual([code, signal], [null, 'SIGKILL']);
  const untilMs = Date.now() + 5_000;
  while (!standIn.tables.isRegistered('g') && Date.now() < untilMs) await sleep(20);
  assert.ok(standIn.tables.isRegistered('g'));
});

test('a message cannot be set aside while its group is not registered: it stays, and comes again', async (t) => {
  const { standIn, memphis } = await scene(t);
  await memphis.produce(STATION, 'a');
  standIn.faults.text = { $memphis_consumer_creations: 'something is wrong with the database' };
  const [message] = await memphis.fetchMessages(STATION, fetchOptions);
  await assert.rejects(async () => message?.deadLetter('why'), { code: 'SETTLE_UNCONFIRMED' });
  assert.equal(standIn.tables.deadLetters.length, 0);
  standIn.faults.text = {};
  await sleep(1_100);
  const [again] = await memphis.fetchMessages(STATION, { ...fetchOptions, batchMaxWaitMs: 3_000 });
  assert.equal(again?.text(), 'a');
  await again?.deadLetter('why');
  assert.equal(await memphis.station(STATION).deadLetters().count(), 1);
});

test('a function whose group is not registered in its time says that a dead letter is not confirmed', async (t) => {
  const { standIn, memphis } = await scene(t);
  await memphis.produce(STATION, 'a');
  standIn.faults.silent = ['$memphis_consumer_creations'];
  const consume = withMemphis(
    () => {
      throw new DeadLetter({ reason: 'why' });
    },
    { servers: [standIn.url], station: STATION, group: 'g' },
  );
  const context = makeContext({ timeoutMs: 4_000 });
  await assert.rejects(consume({}, context), { code: 'SETTLE_UNCONFIRMED' });
  assert.ok(context.getRemainingTimeInMillis() > 0, 'the function returned before Lambda would have ended it');
});

test('a slow control plane holds up no message', async (t) => {
  const { standIn, memphis, open } = await scene(t);
  await memphis.produce(STATION, 'a');
  standIn.faults.delayMs = 700;
  const other = await open();
  const startedAt = Date.now();
  const [message] = await other.fetchMessages(STATION, { ...fetchOptions, group: 'late' });
  // the schema may be waited for, by whoever could read one: one answer, not two
  assert.equal(message?.text(), 'a');
  assert.ok(Date.now() - startedAt < 3_000);
  await message?.ack();
});

test('a refusal in words is an error with a code, and its second reply goes nowhere', async (t) => {
  const { standIn, memphis } = await scene(t);
  standIn.faults.text = { $memphis_station_creations: 'user root is not allowed to create station x' };
  await assert.rejects(memphis.createStation('x'), { code: 'PERMISSION_DENIED' });
  standIn.faults.text = { $memphis_station_creations: '' };
  await assert.rejects(memphis.createStation('x'), { code: 'BROKER_REFUSED' }, 'nothing was made, whatever it says');
});

test('a station that is missing is not made by using it', async (t) => {
  const { standIn, memphis } = await scene(t);
  await assert.rejects(memphis.produce('nowhere', 'a'), { code: 'STATION_NOT_FOUND' });
  await assert.rejects(memphis.fetchMessages('nowhere', fetchOptions), { code: 'STATION_NOT_FOUND' });
  await assert.rejects(memphis.station('nowhere').destroy(), { code: 'STATION_NOT_FOUND' });
  assert.deepEqual([...standIn.tables.stations.keys()], [STATION]);
  assert.deepEqual(
    standIn.tables.requests
      .filter(({ body }) => JSON.stringify(body).includes('nowhere'))
      .map(({ subject }) => subject),
    ['$memphis_station_destructions'],
  );
});

test('with createStationOnFirstUse it is made', async (t) => {
  const { standIn } = await scene(t);
  const memphis = await connect({ servers: [standIn.url], createStationOnFirstUse: true });
  const { sequence } = await memphis.produce('made', 'a');
  assert.equal(sequence, 1);
  assert.ok(standIn.tables.stations.has('made'));
  await memphis.close();
});

test('a connection that is cut between making the group and the pull is dialled again, and registers anew', async (t) => {
  const { standIn, memphis } = await scene(t);
  assert.deepEqual(await memphis.fetchMessages(STATION, fetchOptions), []); // an empty one waits for its registration
  await memphis.produce(STATION, 'a');
  assert.equal((await memphis.fetchMessages(STATION, fetchOptions)).length, 1);
  standIn.relay.cut();
  await sleep(1_100);
  const [again] = await memphis.fetchMessages(STATION, { ...fetchOptions, batchMaxWaitMs: 3_000 });
  assert.deepEqual([again?.text(), again?.deliveryCount], ['a', 2]);
  await again?.ack();
  const members = () => standIn.tables.members.filter(({ kind, group }) => kind === 'consumer' && group === 'g');
  // nobody waits for it
  for (const untilMs = Date.now() + 5_000; members().length < 2 && Date.now() < untilMs; ) await sleep(20);
  assert.deepEqual(
    members().map(({ isActive }) => isActive),
    [false, true],
  );
});

test('a durable of others that takes messages for settled when it hands them out is refused', async (t) => {
  const { standIn, memphis } = await scene(t);
  const other = openLean({ server: `127.0.0.1:${standIn.server.port}`, name: 'other', timeoutMs: 5_000 });
  t.after(() => other.close());
  await callApi(other, `CONSUMER.DURABLE.CREATE.${STATION}$1.g`, 'make a durable', 5_000, {
    stream_name: `${STATION}$1`,
    config: { durable_name: 'g', deliver_policy: 'all', ack_policy: 'none', filter_subject: `${STATION}$1.final` },
  });
  await assert.rejects(memphis.fetchMessages(STATION, fetchOptions), {
    code: 'GROUP_CONFLICT',
    message: /settles by ack policy none/,
  });
});

test('a durable that somebody deletes is made again, and nothing is lost', async (t) => {
  const { standIn, memphis, open } = await scene(t);
  await memphis.produce(STATION, 'a');
  assert.equal((await memphis.fetchMessages(STATION, fetchOptions)).length, 1);
  const other = await open();
  await (await other.createConsumer(STATION, { group: 'g' })).destroy();
  for (const member of standIn.tables.members) member.isActive = false;
  await (await other.createConsumer(STATION, { group: 'g' })).destroy();
  let texts: string[] = [];
  for (let tries = 0; texts.length === 0 && tries < 20; tries++) {
    const messages = await memphis.fetchMessages(STATION, { ...fetchOptions, batchMaxWaitMs: 500 }).catch((error) => {
      assert.ok(isMemphisError(error), String(error));
      return [];
    });
    texts = messages.map((message) => message.text());
  }
  assert.deepEqual(texts, ['a']);
});

test('a wrong password and a wrong account are told as such', async (t) => {
  const { standIn } = await scene(t);
  const server = standIn.url.replace('root:memphis@', 'root:wrong@');
  await assert.rejects(connect({ servers: [server] }), { code: 'AUTHENTICATION_FAILED' });
  await assert.rejects(connect({ servers: [standIn.url], accountId: 2 }), { code: 'AUTHENTICATION_FAILED' });
});

test('a broker that hangs in its shutdown is given up in time', async (t) => {
  const { standIn, memphis } = await scene(t);
  await memphis.produce(STATION, 'a');
  standIn.relay.hang();
  const startedAt = Date.now();
  await assert.rejects(memphis.produce(STATION, 'b', { ackWaitMs: 3_000 }), (error) => isMemphisError(error));
  assert.ok(Date.now() - startedAt < 10_000);
  await assert.rejects(connect({ servers: [standIn.url], timeoutMs: 500 }), { code: 'CONNECT_FAILED' });
});

test('what is under way is waited for when a client closes: no row is left that looks alive', async (t) => {
  const { standIn, open } = await scene(t);
  standIn.faults.delayMs = 300;
  const memphis = await open();
  await memphis.produce(STATION, 'a', { async: true });
  await memphis.close();
  await sleep(400);
  assert.deepEqual(
    standIn.tables.members.filter(({ isActive }) => isActive).map(({ name }) => name),
    [],
  );
});

test('an insisted kind of broker is checked', async (t) => {
  const { standIn } = await scene(t);
  await assert.rejects(
    async () => {
      const memphis = await connect({ servers: [standIn.url], broker: 'jetstream' });
      await memphis.produce(STATION, 'a').finally(() => memphis.close());
    },
    { code: 'UNSUPPORTED' },
  );
  await assert.rejects(
    async () => {
      const memphis = await connect({ servers: [standIn.server.url], broker: 'memphis' });
      await memphis.produce(STATION, 'a').finally(() => memphis.close());
    },
    { code: 'UNSUPPORTED' },
  );
});

test('a program that is told to hold no driver of Memphis refuses a Memphis broker', async (t) => {
  const { standIn } = await scene(t);
  process.env.MEMPHIS_DRIVER = 'jetstream';
  t.after(() => {
    delete process.env.MEMPHIS_DRIVER;
  });
  const refused = {
    code: 'UNSUPPORTED',
    message: /^MEMPHIS_DRIVER=jetstream was asked for, but this is a Memphis broker: leave it out/,
  };
  await assert.rejects(connect({ servers: [standIn.url] }), refused);
});

test('more deliveries than the broker makes are refused beforehand', async (t) => {
  const { memphis } = await scene(t);
  await assert.rejects(memphis.fetchMessages(STATION, { ...fetchOptions, maxMsgDeliveries: 11 }), {
    code: 'UNSUPPORTED',
    option: 'maxMsgDeliveries',
  });
});

test('what a user may not is told soon, although the broker does not say which request it refused', async (t) => {
  const { standIn, memphis } = await scene(t);
  await memphis.createStation('closed', { storageType: 'memory' });
  standIn.relay.forbid(/closed/);
  const startedAt = Date.now();
  await assert.rejects(memphis.produce('closed', 'a'), { code: 'PERMISSION_DENIED' });
  await assert.rejects(memphis.fetchMessages('closed', fetchOptions), { code: 'PERMISSION_DENIED' });
  assert.ok(Date.now() - startedAt < 4_000);
  await memphis.produce(STATION, 'a');
});

test('a message that is put back behind one that came a second time comes at once, not when its time is over', async (t) => {
  const { standIn, memphis, open } = await scene(t);
  for (const text of ['1', '2', '3', '4']) await memphis.produce(STATION, text);
  const options = { ...fetchOptions, maxAckTimeMs: 30_000, batchMaxWaitMs: 1_000 };
  const [one, , three, four] = await memphis.fetchMessages(STATION, options);
  const other = await open();
  standIn.relay.ignoreOldNaks();
  const next = async (): Promise<string | undefined> => {
    const [message] = await other.fetchMessages(STATION, { ...options, batchSize: 1 });
    return message?.text();
  };
  await one?.delay(1);
  assert.equal(await next(), '1');
  await Promise.all([three?.ack(), four?.delay(1)]);
  assert.equal(await next(), '4');
});

test('what is slow while something else is refused is no refusal: a group is registered once', async (t) => {
  const { standIn, memphis } = await scene(t);
  standIn.relay.forbid(/\$resent\$/);
  standIn.faults.heldMs = { $memphis_consumer_creations: 1_500 };
  for (let pulls = 0; pulls < 8; pulls++)
    await memphis.fetchMessages(STATION, { ...fetchOptions, batchMaxWaitMs: 300 });
  assert.equal(standIn.tables.members.filter(({ kind }) => kind === 'consumer').length, 1);
});

test('who may not set aside lets the deliveries run out, and the broker sets aside', async (t) => {
  const { standIn, memphis } = await scene(t);
  await memphis.produce(STATION, 'a');
  standIn.relay.forbid(/MAX_DELIVERIES/);
  const options = { ...fetchOptions, maxMsgDeliveries: 2, batchMaxWaitMs: 2_000 };
  for (const delivery of [1, 2]) {
    const [message] = await memphis.fetchMessages(STATION, options);
    assert.equal(message?.deliveryCount, delivery);
    await message?.deadLetter('why');
  }
  assert.deepEqual(await memphis.fetchMessages(STATION, { ...options, batchMaxWaitMs: 500 }), []);
  const [letter] = await memphis.station(STATION).deadLetters().list();
  assert.deepEqual([letter?.text(), letter?.deliveryCount], ['a', 2]);
});
