/**
 * Brokers whose storage is full, by each of the limits there are: each call says so at once, nothing is settled that is not
 * stored elsewhere, what is there stays, and all goes on when there is room again.
 */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { type Client, connect, isMemphisError, type Message } from '../../src/index.ts';
import { produceHandler, withMemphis } from '../../src/lambda/index.ts';
import { makeContext, type StartBrokerOptions, startBroker } from '../../src/testing/index.ts';
import { makeHttpEvent } from '../support/api-events.ts';
import { serversUnderTest } from '../support/servers.ts';

const BYTES = 300_000;
const accounts = `accounts { A { jetstream: { max_file: ${BYTES}, max_mem: ${BYTES} }, users: [{ user: a, password: x }] } }`;
const ofAccount = { username: 'a', password: 'x' };

interface Limit {
  readonly what: string;
  readonly storageType: 'file' | 'memory';
  readonly broker: StartBrokerOptions;
  readonly credentials?: typeof ofAccount;
}
const limits: readonly Limit[] = [
  { what: "the account's files", storageType: 'file', broker: { config: accounts }, credentials: ofAccount },
  { what: "the account's memory", storageType: 'memory', broker: { config: accounts }, credentials: ofAccount },
  { what: "the server's files", storageType: 'file', broker: { maxStoreBytes: BYTES } },
  { what: "the server's memory", storageType: 'memory', broker: { maxMemoryBytes: BYTES } },
];

const full = (error: unknown): boolean =>
  isMemphisError(error, 'STORAGE_FULL') && error.retryable && /Give the broker room/.test(error.message);
const unsettled = (error: unknown): boolean => isMemphisError(error, 'SETTLE_UNCONFIRMED') && full(error.cause);
const bytes = (size: number): Uint8Array => new Uint8Array(size).fill(7);

/** Fills what is left, with messages that get smaller. @returns how many were stored */
async function fill(memphis: Client, station: string): Promise<number> {
  let stored = 0;
  for (const size of [20_000, 2_000, 200, 0]) {
    for (let i = 0; ; i++) {
      assert.ok(i < 100, 'it is full at some point');
      try {
        await memphis.produce(station, bytes(size));
        stored++;
      } catch (error) {
        assert.ok(full(error), String(error));
        break;
      }
    }
  }
  return stored;
}

for (const { binary, version } of serversUnderTest()) {
  describe(`storage of nats-server ${version}`, { concurrency: true }, () => {
    for (const { what, storageType, broker: settings, credentials } of limits) {
      test(`when ${what} are full nothing is lost, and all goes on when there is room`, async () => {
        await using broker = await startBroker({ binary, ...settings });
        const access = { servers: [broker.url], ...credentials };
        const memphis = await connect(access);
        const station = { storageType } as const;
        for (const name of ['orders', 'ballast']) await memphis.createStation(name, station);
        for (let i = 0; i < 3; i++) await memphis.produce('orders', { order: i }, { msgId: `order ${i}` });
        for (let i = 0; i < 5; i++) await memphis.produce('ballast', bytes(20_000));
        const stored = 3 + (await fill(memphis, 'orders'));
        const count = async (): Promise<number> => (await memphis.describeStation('orders')).messages;
        assert.equal(await count(), stored);

        const startedAt = performance.now();
        await assert.rejects(memphis.produce('orders', 'one more'), full);
        const batch = await memphis.produceBatch('orders', ['a', 'b', 'c']);
        assert.ok(batch.every((result) => !result.ok && full(result.error)));
        const told: unknown[] = [];
        await memphis.produce('orders', 'not awaited', { async: true, onError: (error) => told.push(error) });
        await memphis.flush();
        assert.ok(told.length === 1 && full(told[0]));
        const produce = produceHandler({ ...access, station: 'orders' });
        const answer = await produce(makeHttpEvent({ method: 'POST', body: 'by HTTP' }), makeContext());
        assert.equal(answer.statusCode, 503);
        assert.equal(answer.headers?.['Retry-After'], '30');
        assert.equal(await count(), stored, 'what was refused is not there');

        const fetchOne = async (batchMaxWaitMs: number): Promise<Message | undefined> =>
          (await memphis.fetchMessages('orders', { group: 'g', batchSize: 1, maxAckTimeMs: 1_000, batchMaxWaitMs }))[0];
        const first = await fetchOne(1_000);
        await assert.rejects(first?.deadLetter('bad') ?? Promise.resolve(), unsettled);
        const second = await fetchOne(1_000);
        await second?.delay(3_600_000); // it cannot be parked: the broker holds it as a delayed one
        assert.deepEqual([first?.json(), second?.json()], [{ order: 0 }, { order: 1 }]);
        assert.equal(await memphis.deadLetters('orders').count(), 0);
        await assert.rejects(
          withMemphis(
            async (messages) => {
              for (const message of messages) await message.deadLetter('bad');
            },
            { ...access, station: 'orders', group: 'function', batchSize: 1 },
          )({}, makeContext()),
          unsettled,
        );
        assert.ok(performance.now() - startedAt < 8_000, 'no patience with what is full');
        assert.equal(await count(), stored);

        await memphis.destroyStation('ballast');
        await sleep(1_100); // the time to settle it
        const back = await memphis.fetchMessages('orders', { group: 'g', batchSize: 500, maxAckTimeMs: 1_000 });
        const again = back.find(({ headers }) => headers['msg-id'] === 'order 0');
        assert.deepEqual([again?.json(), again?.deliveryCount], [{ order: 0 }, 2], 'it came back');
        await again?.deadLetter('bad');
        assert.deepEqual(
          (await memphis.deadLetters('orders').list()).map((letter) => letter.json()),
          [{ order: 0 }],
        );
        assert.equal((await memphis.produce('orders', { order: 0 }, { msgId: 'order 0' })).duplicate, true);
        assert.equal((await memphis.produce('orders', 'one more')).duplicate, false);
        assert.equal(await count(), stored + 1);
        const { groups } = await memphis.describeStation('orders');
        const group = groups.find(({ name }) => name === 'g');
        assert.equal((group?.pending ?? 0) + (group?.ackPending ?? 0), stored, 'all but the dead letter is to be done');
        await memphis.close();
      });
    }

    test('a station that could not be made for want of room is made by the next call', async () => {
      await using broker = await startBroker({ binary, maxStoreBytes: BYTES });
      const memphis = await connect({ servers: [broker.url] });
      for (const name of ['orders', 'ballast']) await memphis.createStation(name);
      for (let i = 0; i < 5; i++) await memphis.produce('ballast', bytes(20_000));
      await fill(memphis, 'orders');
      await assert.rejects(memphis.createStation('new-one', { partitionsNumber: 2 }), full);
      await memphis.destroyStation('ballast');
      await memphis.createStation('new-one', { partitionsNumber: 2 });
      const { isOurs, settings } = await memphis.describeStation('new-one');
      assert.deepEqual([isOurs, settings.partitionsNumber], [true, 2]);
      await memphis.close();
    });

    test('a broker that takes less than the toolkit has to write says so, and is not asked again', async () => {
      await using broker = await startBroker({ binary, maxPayloadBytes: 200 });
      const memphis = await connect({ servers: [broker.url] });
      const startedAt = performance.now();
      await assert.rejects(memphis.createStation('s'), (error) => isMemphisError(error, 'PAYLOAD_TOO_LARGE'));
      await memphis.createStation('s').catch(() => {});
      await assert.rejects(memphis.produce('s', 'x'), (error) => isMemphisError(error, 'PAYLOAD_TOO_LARGE'));
      assert.ok(performance.now() - startedAt < 5_000);
      await memphis.close();
    });

    for (const storageType of ['file', 'memory'] as const) {
      test(`a message beyond all bytes that a station keeps in ${storageType} is refused; the largest one stays`, async () => {
        await using broker = await startBroker({ binary });
        const memphis = await connect({ servers: [broker.url] });
        await memphis.createStation('small', { retentionType: 'bytes', retentionValue: 2_000, storageType });
        const count = async (): Promise<number> => (await memphis.describeStation('small')).messages;
        await memphis.produce('small', 'there before');
        const tooLarge = (error: unknown): boolean => isMemphisError(error, 'PAYLOAD_TOO_LARGE') && !error.retryable;
        await assert.rejects(memphis.produce('small', bytes(1_900), { msgId: '1' }), tooLarge);
        assert.equal(await count(), 1, 'it has not driven the others out');
        let size = 1_900;
        const options = { msgId: 'largest', headers: { a: 'b' } };
        for (; size > 0; size--) {
          try {
            await memphis.produce('small', bytes(size), options);
            break;
          } catch (error) {
            assert.ok(tooLarge(error));
          }
        }
        const [found] = await memphis.fetchMessages('small', { group: 'g', batchMaxWaitMs: 1_000 });
        assert.equal(found?.data.length, size, 'it is stored');
        assert.equal(await count(), 1);
        await found?.deadLetter('later');
        const letters = memphis.deadLetters('small');
        // its id of a copy is longer: into the station it would be confirmed and dropped
        const [result] = await letters.redriveAll({ to: 'station' });
        assert.ok(result?.outcome === 'failed' && tooLarge(result.error));
        assert.equal(await letters.count(), 1);
        await memphis.close();
      });
    }
  });
}
