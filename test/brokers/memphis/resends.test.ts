/** Dead letters that are resent from the broker's interface while no function is awake. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { JetStreamReader } from '../../../src/brokers/jetstream/reader.ts';
import { parseRows, rowIdOf } from '../../../src/brokers/memphis/dead-letter-rows.ts';
import { HttpApi } from '../../../src/brokers/memphis/http-api.ts';
import { readersOf } from '../../../src/brokers/readers.ts';
import { openLean } from '../../../src/connection/lean/session.ts';
import { type Client, connect } from '../../../src/index.ts';
import { deafConnection } from '../../support/deaf-connection.ts';
import { freshName, type MemphisUnderTest, memphisBrokers } from '../../support/memphis/brokers.ts';
import { STATION, scene } from '../../support/memphis/scene.ts';
import { startStandIn } from '../../support/memphis/stand-in.ts';
import { startProxy } from '../../support/proxy.ts';

const ACK_MS = 1_000;

const open = (broker: MemphisUnderTest): Promise<Client> =>
  connect({ servers: [broker.url], ...(broker.apiUrl && { apiUrl: broker.apiUrl }) });

/** As somebody does in the interface, with all that it lists. */
async function resend(broker: MemphisUnderTest, station: string): Promise<void> {
  const url = broker.apiUrl ?? `http://127.0.0.1:9000`;
  const api = new HttpApi({ url, username: 'root', password: async () => 'memphis' });
  const query = { station_name: station, partition_number: -1 };
  const ids = parseRows(await api.get('monitoring/getStationOverviewData', query)).map(({ id }) => id);
  assert.ok(ids.length > 0);
  await api.post('stations/resendPoisonMessages', { poison_message_ids: ids, station_name: station });
}

async function take(memphis: Client, station: string, group: string) {
  const options = { group, maxAckTimeMs: ACK_MS, maxMsgDeliveries: 3, batchMaxWaitMs: 0 };
  for (let tries = 0; tries < 60; tries++) {
    const [message] = await memphis.fetchMessages(station, options);
    if (message !== undefined) return message;
    await sleep(100);
  }
  return assert.fail('nothing came');
}

for (const { name: on, open: openBroker } of memphisBrokers) {
  test(`${on}: what is resent while nobody is awake comes to the next function, under its old id, and its row goes`, async () => {
    await using broker = await openBroker();
    const station = freshName('resent');
    const first = await open(broker);
    await first.createStation(station, { storageType: 'memory' });
    await first.produce(station, { n: 1 }, { headers: { a: 'b' }, msgId: 'm' });
    const before = await take(first, station, 'billing');
    await before.deadLetter('try later');
    const letters = first.station(station).deadLetters();
    assert.equal(await letters.count(), 1);
    await first.close(); // nobody is awake now
    await resend(broker, station);

    const second = await open(broker);
    const again = await take(second, station, 'billing');
    // of 1.2 it says no more where it was: that one reads no headers out of a notice
    const isKnown = again.partition !== 0;
    assert.deepEqual([isKnown ? again.id : before.id, again.json()], [before.id, { n: 1 }]);
    assert.deepEqual(again.headers, before.headers);
    assert.equal(again.deliveryCount, 1);
    await again.delay(100); // delays work here too
    const last = await take(second, station, 'billing');
    await last.ack();
    for (let tries = 0; tries < 50 && (await second.station(station).deadLetters().count()) > 0; tries++)
      await sleep(100);
    assert.equal(await second.station(station).deadLetters().count(), 0);
    await second.station(station).destroy();
    await second.close();
  });

  test(`${on}: what another member has settled is not handed out once more, and a row is acked once`, async () => {
    await using broker = await openBroker();
    const station = freshName('resent');
    const memphis = await open(broker);
    await memphis.createStation(station, { storageType: 'memory' });
    await memphis.produce(station, 'x');
    for (const group of ['billing', 'audit']) await (await take(memphis, station, group)).deadLetter('no');
    const letters = memphis.station(station).deadLetters();
    const rows = await letters.list();
    assert.deepEqual(rows.map(({ group }) => group).sort(), ['audit', 'billing']);
    // twice, before anybody was awake
    await resend(broker, station);
    await sleep(200);
    await resend(broker, station);
    await (await take(memphis, station, 'billing')).ack();
    await sleep(ACK_MS * 2);
    const options = { group: 'billing', maxAckTimeMs: ACK_MS, maxMsgDeliveries: 3, batchMaxWaitMs: 1_000 };
    assert.deepEqual(await memphis.fetchMessages(station, options), []);
    assert.deepEqual(
      (await letters.list()).map(({ group }) => group),
      ['audit'],
      'the other group needs its own',
    );
    await memphis.station(station).destroy();
    await memphis.close();
  });
}

test('the row of a dead letter goes also where the answer is lost to the claim that says who tells the broker', async (t) => {
  const { standIn, memphis } = await scene(t);
  await memphis.produce(STATION, 'x');
  for (const group of ['billing', 'audit']) await (await take(memphis, STATION, group)).deadLetter('no');
  const letters = memphis.station(STATION).deadLetters();
  const rows = await letters.list();
  standIn.resend([rowIdOf(rows[0]?.id ?? 0)]);
  const again = await take(memphis, STATION, 'billing');
  await using proxy = await startProxy(standIn.relay.port);
  const url = standIn.url.replace(/:\d+$/, `:${proxy.port}`);
  await again.delay(0);
  const settling = await connect({ servers: [url] });
  const last = await take(settling, STATION, 'billing');
  proxy.deafenAfter('PUB memphis_serverless_resends.');
  await last.ack();
  await settling.close();
  for (let tries = 0; tries < 50 && (await letters.count()) > 1; tries++) await sleep(100);
  assert.deepEqual(
    (await letters.list()).map(({ group }) => group),
    ['audit'],
    'the other group needs its own',
  );
});

test('setting aside near the end of a function does not wait for the stream that is to keep resends', async (t) => {
  const { standIn, memphis } = await scene(t);
  await memphis.produce(STATION, 'x');
  const { host, username, password } = new URL(standIn.url.replace('memphis:', 'http:'));
  const credentials = { kind: 'password', username, password } as const;
  const deaf = deafConnection(host, { credentials, isMemphis: true });
  const client = await connect({ connection: deaf.connection });
  t.after(() => client.close());
  const reader = readersOf(await client.session.broker()).reader({
    station: STATION,
    group: 'billing',
    ackWaitMs: 30_000,
    maxDeliveries: 3,
  });
  // all but that stream is known then: looking it up is not what there is little time for
  const first = await reader.pull({ batchSize: 1, waitMs: 0 });
  for (const one of first.messages) await first.settle(one, { action: 'ack' });
  await memphis.produce(STATION, 'y');
  const batch = await reader.pull({ batchSize: 1, waitMs: 0, settleByMs: Date.now() + 800 });
  const [message] = batch.messages;
  assert.ok(message);
  deaf.deafen('$JS.API.STREAM.CREATE.');
  const startedAt = Date.now();
  assert.equal(await batch.settle(message, { action: 'deadLetter', reason: 'no' }), 'deadLettered');
  assert.ok(Date.now() - startedAt < 950, 'that stream has a second where there is time');
  assert.ok(deaf.unheard > 0);
});

test('who may not make the stream that is to keep resends does not ask for it with each empty pull', async (t) => {
  const { standIn } = await scene(t);
  const { host, username, password } = new URL(standIn.url.replace('memphis:', 'http:'));
  const credentials = { kind: 'password', username, password } as const;
  const deaf = deafConnection(host, { credentials, isMemphis: true });
  const client = await connect({ connection: deaf.connection });
  t.after(() => client.close());
  deaf.deny('$JS.API.STREAM.CREATE.');
  const options = { group: 'billing', batchMaxWaitMs: 0 };
  assert.deepEqual(await client.fetchMessages(STATION, options), []);
  const asked = deaf.unheard;
  assert.ok(asked > 0);
  for (let times = 0; times < 3; times++) assert.deepEqual(await client.fetchMessages(STATION, options), []);
  assert.equal(deaf.unheard, asked);
});

test('resends that are due beside a first request for messages make no batch larger than it may be', async (t) => {
  const { standIn, memphis } = await scene(t);
  for (const text of ['a', 'b']) {
    await memphis.produce(STATION, text);
    await (await take(memphis, STATION, 'billing')).deadLetter('no');
  }
  const rows = await memphis.station(STATION).deadLetters().list();
  const reader = readersOf(await memphis.session.broker()).reader({
    station: STATION,
    group: 'billing',
    ackWaitMs: ACK_MS,
    maxDeliveries: 3,
  }) as JetStreamReader;
  const pull = () => reader.pull({ batchSize: 3, waitMs: 0 });
  assert.equal((await pull()).messages.length, 0);
  standIn.resend(rows.map(({ id }) => rowIdOf(id)));
  for (const text of ['c', 'd']) await memphis.produce(STATION, text);
  await sleep(ACK_MS + 200); // nobody who listens has settled it
  reader.group.forget(); // what is looked up anew is asked for beside the first request
  const now = Date.now;
  t.mock.method(Date, 'now', () => now() + 11_000); // resends are looked for each ten seconds
  const texts: string[] = [];
  for (let pulls = 0; pulls < 3; pulls++) {
    const batch = await pull();
    assert.ok(batch.messages.length <= 3, `${batch.messages.length} messages`);
    for (const message of batch.messages) {
      texts.push(Buffer.from(message.data).toString());
      await batch.settle(message, { action: 'ack' });
    }
  }
  assert.deepEqual(texts.sort(), ['a', 'b', 'c', 'd']);
});

test('before 1.4.2 too, what was resent and handled is no dead letter any more while another group has its own', async (t) => {
  const standIn = await startStandIn({ version: '1.3.1' });
  const memphis = await connect({ servers: [standIn.url], apiUrl: standIn.apiUrl });
  t.after(async () => {
    await memphis.close();
    await standIn[Symbol.asyncDispose]();
  });
  await memphis.createStation(STATION, { storageType: 'memory' });
  await memphis.produce(STATION, 'x');
  for (const group of ['billing', 'audit']) await (await take(memphis, STATION, group)).deadLetter('no');
  const letters = memphis.station(STATION).deadLetters();
  const groups = async (): Promise<string[]> => (await letters.list()).map(({ group }) => group).sort();
  assert.deepEqual(await groups(), ['audit', 'billing']);
  standIn.resend(standIn.tables.deadLetters.map(({ id }) => id));
  await (await take(memphis, STATION, 'billing')).ack();
  for (let tries = 0; tries < 50 && (await letters.count()) > 1; tries++) await sleep(100);
  assert.deepEqual(await groups(), ['audit']);
});

test('a durable that the broker has made for its interface is no group', async (t) => {
  const { standIn, memphis } = await scene(t);
  const other = openLean({ server: `127.0.0.1:${standIn.server.port}`, name: 'other', timeoutMs: 5_000 });
  t.after(() => other.close());
  const durable = '$memphis_fetch_messages_consumer_1';
  const config = { durable_name: durable, ack_policy: 'explicit' };
  const body = Buffer.from(JSON.stringify({ stream_name: `${STATION}$1`, config }));
  await other.request(`$JS.API.CONSUMER.DURABLE.CREATE.${STATION}$1.${durable}`, body, { timeoutMs: 5_000 });
  assert.deepEqual((await memphis.describeStation(STATION)).groups, []);
});
