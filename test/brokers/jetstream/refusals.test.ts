/** What brokers refuse to store, and which error says so: rights, limits of streams, limits of accounts. */

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type Client, connect, type ErrorCode, type ProduceResult } from '../../../src/index.ts';
import { type RunningBroker, startBroker } from '../../../src/testing/start-broker.ts';
import { readDeadLetters } from '../../support/dead-letters.ts';
import { makeFullStation } from '../../support/full-station.ts';
import { watchProcess } from '../../support/process-watch.ts';
import { withRawApi } from '../../support/raw-api.ts';
import { serversUnderTest } from '../../support/servers.ts';

const rights = `authorization { users: [
  { user: all, password: x }
  { user: mute, password: x, permissions: { publish: { deny: ["jobs$1.>"] } } }
] }`;
const limits = `accounts {
  small: { jetstream: { max_mem: 20K, max_file: 20K }, users: [{ user: small, password: x }] }
}`;

const codesOf = (results: readonly ProduceResult[]): ErrorCode[] =>
  results.flatMap((result) => (result.ok ? [] : [result.error.code]));

/** Each way to produce meets the refusal, and each soon: patience does not heal it. */
async function meetsRefusal(memphis: Client, station: string, message: string, code: ErrorCode): Promise<void> {
  const startedAt = performance.now();
  await assert.rejects(memphis.produce(station, message), { code });
  const [first, second] = await memphis.produceBatch(station, [message, message]);
  assert.deepEqual(codesOf([first, second] as ProduceResult[]), [code, code]);
  const told: ErrorCode[] = [];
  const { rejections } = await watchProcess(async () => {
    await memphis.produce(station, message, { async: true, onError: (error) => told.push(error.code) });
    await memphis.flush();
  });
  assert.deepEqual([told, rejections], [[code], []]);
  assert.ok(performance.now() - startedAt < 8_000, 'no patience with a refusal');
  assert.ok(memphis.isConnected());
}

for (const { binary, version } of serversUnderTest()) {
  describe(`refusals of nats-server ${version}`, () => {
    let broker: RunningBroker;
    let memphis: Client;
    before(async () => {
      broker = await startBroker({ binary });
      memphis = await connect({ servers: [broker.url] });
    });
    after(async () => {
      await memphis.close();
      await broker.stop();
    });

    test('a stream that is full and throws nothing away is STORAGE_FULL', async () => {
      await makeFullStation(broker.port, 'full', 1);
      await memphis.produce('full', 'fills it');
      await meetsRefusal(memphis, 'full', 'x', 'STORAGE_FULL');
    });

    test('a stream that is full by bytes is STORAGE_FULL', async () => {
      const config = { name: 'heavy$1', subjects: ['heavy$1.>'], storage: 'memory', max_bytes: 2_000, discard: 'new' };
      await withRawApi(broker.port, (api) => api('STREAM.CREATE.heavy$1', config));
      await meetsRefusal(memphis, 'heavy', 'x'.repeat(2_000), 'STORAGE_FULL');
    });

    test('a message above the limit of its stream is PAYLOAD_TOO_LARGE', async () => {
      const config = { name: 'light$1', subjects: ['light$1.>'], storage: 'memory', max_msg_size: 500 };
      await withRawApi(broker.port, (api) => api('STREAM.CREATE.light$1', config));
      await meetsRefusal(memphis, 'light', 'x'.repeat(600), 'PAYLOAD_TOO_LARGE');
    });

    test('headers that JetStream cannot store are PAYLOAD_TOO_LARGE, the largest that it can may be dead letters', async () => {
      await memphis.createStation('headers', { storageType: 'memory' });
      const send = (length: number) => memphis.produce('headers', 'x', { headers: { a: 'x'.repeat(length) } });
      await assert.rejects(send(65_000), { code: 'PAYLOAD_TOO_LARGE', message: /Headers of/ });
      await send(64_300);
      const [message] = await memphis.fetchMessages('headers', { group: 'g', batchMaxWaitMs: 0 });
      await message?.deadLetter('e'.repeat(5_000));
      const [letter] = await readDeadLetters(broker.port, 'headers');
      assert.equal(letter?.headers.a?.length, 64_300);
    });

    test('a stream that refuses a second message of a subject is STORAGE_FULL', async () => {
      const config = {
        name: 'single$1',
        subjects: ['single$1.>'],
        storage: 'memory',
        max_msgs_per_subject: 1,
        discard: 'new',
        discard_new_per_subject: true,
      };
      await withRawApi(broker.port, (api) => api('STREAM.CREATE.single$1', config));
      await memphis.produce('single', 'the only one');
      await meetsRefusal(memphis, 'single', 'x', 'STORAGE_FULL');
    });
  });

  test(`nats-server ${version}: a user who may not publish hears so at once`, async () => {
    await using broker = await startBroker({ binary, config: rights });
    const as = (username: string): Promise<Client> => connect({ servers: [broker.url], username, password: 'x' });
    const [owner, mute] = [await as('all'), await as('mute')];
    await owner.createStation('jobs', { storageType: 'memory' });
    await meetsRefusal(mute, 'jobs', 'x', 'PERMISSION_DENIED');
    assert.deepEqual(await owner.fetchMessages('jobs', { group: 'g', batchMaxWaitMs: 0 }), []);
    await owner.close();
    await mute.close();
  });

  for (const storageType of ['memory', 'file'] as const) {
    test(`nats-server ${version}: an account whose ${storageType} is used up is STORAGE_FULL, and keeps what it has`, async () => {
      await using broker = await startBroker({ binary, config: limits });
      const memphis = await connect({ servers: [broker.url], username: 'small', password: 'x' });
      await memphis.createStation('jobs', { storageType });
      const results = await memphis.produceBatch('jobs', new Array(12).fill('x'.repeat(4_000)), { ackWaitMs: 2_000 });
      const stored = results.filter((result) => result.ok).length;
      assert.ok(stored > 0 && stored < 12);
      assert.deepEqual([...new Set(codesOf(results))], ['STORAGE_FULL']);
      await assert.rejects(memphis.produce('jobs', 'x'.repeat(4_000), { ackWaitMs: 2_000 }), { code: 'STORAGE_FULL' });
      const messages = await memphis.fetchMessages('jobs', { group: 'g', batchSize: 50, batchMaxWaitMs: 0 });
      assert.equal(messages.length, stored);
      await memphis.close();
    });
  }
}
