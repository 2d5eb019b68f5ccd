/** Dead letters through the client, on real servers: listed, read, dropped, put back. */

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { openLean } from '../../src/connection/lean/session.ts';
import {
  type Client,
  connect,
  type ErrorCode,
  isMemphisError,
  type Message,
  type StationOptions,
} from '../../src/index.ts';
import { type RunningBroker, startBroker } from '../../src/testing/start-broker.ts';
import { hasCode } from '../support/has-code.ts';
import { withRawApi } from '../support/raw-api.ts';
import { serversUnderTest } from '../support/servers.ts';

for (const { binary, version } of serversUnderTest()) {
  describe(`dead letters on nats-server ${version}`, () => {
    let broker: RunningBroker;
    let memphis: Client;
    let made = 0;
    const newStation = async (options: StationOptions = {}): Promise<string> => {
      const name = `d.${++made}`;
      await memphis.createStation(name, { storageType: 'memory', ...options });
      return name;
    };
    const fetchAll = (station: string, group = 'g', options: Record<string, unknown> = {}): Promise<Message[]> =>
      memphis.fetchMessages(station, { group, batchSize: 1_000, batchMaxWaitMs: 0, ...options });
    /** Until something comes: copies are looked for every two seconds. */
    const fetchLate = (station: string, group = 'g'): Promise<Message[]> =>
      fetchAll(station, group, { batchMaxWaitMs: 10_000 });
    /** So many messages, all dead letters of a group. */
    const setAside = async (station: string, count: number, group = 'g'): Promise<void> => {
      const messages = Array.from({ length: count }, (_, index) => ({ index }));
      while (messages.length > 0) {
        await Promise.all(messages.splice(0, 100).map((message) => memphis.produce(station, message)));
      }
      for (let left = count; left > 0; ) {
        const batch = await fetchAll(station, group, { maxAckTimeMs: 60_000 });
        await Promise.all(batch.map((message) => message.deadLetter(`no. ${message.json<{ index: number }>().index}`)));
        left -= batch.length;
      }
    };
    const ids = (found: readonly { readonly id: number }[]): number[] => found.map(({ id }) => id);
    /** Stores something into a stream as any program could. */
    const put = async (subject: string, headers: [string, string][] = [], data = 'x'): Promise<void> => {
      const connection = openLean({ server: `127.0.0.1:${broker.port}`, name: 'test', timeoutMs: 2_000 });
      await connection.request(subject, new TextEncoder().encode(data), { timeoutMs: 2_000, headers });
      await connection.close();
    };

    before(async () => {
      broker = await startBroker({ binary });
      memphis = await connect({ servers: [broker.url] });
    });
    after(async () => {
      await memphis.close();
      await broker.stop();
    });

    test('one tells what it was, whose, why and when', async () => {
      const name = await newStation({ partitionsNumber: 2 });
      const producedAt = Date.now();
      const options = { headers: { a: 'b' }, msgId: 'm-1', partitionKey: 'ä key' };
      const { partition, sequence } = await memphis.produce(name, { id: 7 }, options);
      const [message] = await fetchAll(name, 'My.Group');
      await message?.nack();
      const [again] = await fetchAll(name, 'my.group');
      await again?.deadLetter('no such\ncustomer');
      const letters = memphis.station(name).deadLetters();
      const [letter, ...more] = await letters.list();
      assert.ok(letter);
      assert.deepEqual(more, []);
      const { timestamp, setAsideAt, data, text, json, ...rest } = letter;
      assert.deepEqual(rest, {
        id: 1,
        station: name,
        group: 'my.group',
        messageId: message?.id,
        partition,
        sequence,
        deliveryCount: 2,
        reason: 'no such customer',
        headers: { a: 'b', 'msg-id': 'm-1' },
        partitionKey: 'ä key',
      });
      assert.deepEqual(timestamp, message?.timestamp);
      assert.ok(setAsideAt >= timestamp && setAsideAt.getTime() < producedAt + 60_000);
      assert.deepEqual([[...data], text(), json()], [[...Buffer.from('{"id":7}')], '{"id":7}', { id: 7 }]);
      const read = await letters.get(1);
      const plain = (of: typeof letter) => ({ ...of, text: 0, json: 0, data: [...of.data] });
      assert.deepEqual(plain(read), plain(letter));
    });

    test('pages follow each other, by group too; counts agree', async () => {
      const name = await newStation();
      await setAside(name, 25, 'one');
      const [message] = await fetchAll(name, 'two');
      await message?.deadLetter('x');
      const letters = memphis.station(name).deadLetters();
      const pages: number[][] = [];
      for (let after = 0; ; ) {
        const page = ids(await letters.list({ after, limit: 10 }));
        if (page.length === 0) break;
        pages.push(page);
        after = page.at(-1) as number;
      }
      assert.deepEqual(
        pages.map((page) => page.length),
        [10, 10, 6],
      );
      assert.deepEqual(
        pages.flat(),
        Array.from({ length: 26 }, (_, index) => index + 1),
      );
      assert.deepEqual(ids(await letters.list({ group: 'TWO' })), [26]);
      assert.deepEqual(ids(await letters.list({ group: 'one', after: 20 })), [21, 22, 23, 24, 25]);
      assert.deepEqual(ids(await letters.list({ group: 'nobody' })), []);
      assert.deepEqual(
        [await letters.count(), await letters.count({ group: 'two' }), await letters.count({ group: 'nobody' })],
        [26, 1, 0],
      );
    });

    test('what is dropped is gone, what was not there is not counted', async () => {
      const name = await newStation();
      await setAside(name, 5);
      const letters = memphis.station(name).deadLetters();
      assert.equal(await letters.drop([2, 4, 4, 99]), 2);
      assert.equal(await letters.drop([2]), 0);
      assert.equal(await letters.drop([]), 0);
      assert.deepEqual(ids(await letters.list()), [1, 3, 5]);
      await assert.rejects(letters.get(2), hasCode('DEAD_LETTER_NOT_FOUND'));
      await assert.rejects(letters.get(99), hasCode('DEAD_LETTER_NOT_FOUND'));
    });

    test('2 000 of them are listed and dropped, with progress', async () => {
      const name = await newStation();
      await setAside(name, 2_000, 'many');
      const [message] = await fetchAll(name, 'few', { batchSize: 1 });
      await message?.deadLetter('x');
      const letters = memphis.station(name).deadLetters();
      const seen = new Set<number>();
      for (let after = 0; ; ) {
        const page = await letters.list({ after, limit: 1_000, group: 'many' });
        for (const { id } of page) seen.add(id);
        if (page.length === 0) break;
        after = page.at(-1)?.id as number;
      }
      assert.equal(seen.size, 2_000);
      const steps: [number, number][] = [];
      const first = [...seen].slice(0, 1_200);
      assert.equal(await letters.drop(first, { onProgress: (done, total) => steps.push([done, total]) }), 1_200);
      assert.deepEqual(steps, [
        [500, 1_200],
        [1_000, 1_200],
        [1_200, 1_200],
      ]);
      const progress: [number, number][] = [];
      const options = { group: 'many', onProgress: (...step: [number, number]) => progress.push(step) };
      assert.equal(await letters.dropAll(options), 800);
      assert.deepEqual(progress, [[800, 800]]);
      assert.deepEqual([await letters.count(), await letters.dropAll(), await letters.dropAll()], [1, 1, 0]);
    });

    test('one that is put back is delivered to its group alone, as it was', async () => {
      const name = await newStation({ partitionsNumber: 3 });
      await memphis.produce(name, { id: 1 }, { headers: { a: 'b' }, msgId: 'm-1', partitionKey: 'key' });
      const [other] = await fetchAll(name, 'other');
      await other?.ack();
      const [before] = await fetchAll(name);
      await before?.nack();
      const [second] = await fetchAll(name);
      await second?.deadLetter('first');
      const letters = memphis.station(name).deadLetters();
      assert.deepEqual(await letters.redrive([1, 5]), [
        { id: 1, outcome: 'redriven' },
        { id: 5, outcome: 'missing' },
      ]);
      assert.equal(await letters.count(), 0);
      const described = await memphis.describeStation(name);
      assert.deepEqual(
        described.groups.map(({ name: group, comingBack }) => [group, comingBack]),
        [
          ['g', 1],
          ['other', 0],
        ],
      );
      const [back] = await fetchLate(name);
      const plain = ({ id, partition, sequence, timestamp, headers, partitionKey, deliveryCount }: Message) => {
        return { id, partition, sequence, timestamp, headers, partitionKey, deliveryCount };
      };
      assert.ok(before && back);
      assert.deepEqual(plain(back), plain(before), 'deliveries count from the beginning');
      assert.deepEqual(back.json(), { id: 1 });
      assert.deepEqual(await fetchAll(name, 'other'), []);
      await back.ack();
      assert.deepEqual(await fetchAll(name), []);
    });

    test('one that fails again at once is a dead letter again, as often as it fails', async () => {
      const name = await newStation();
      await memphis.produce(name, 'bad', { msgId: 'm-1' });
      let [message] = await fetchAll(name);
      const letters = memphis.station(name).deadLetters();
      for (let round = 1; round <= 3; round++) {
        await message?.deadLetter(`round ${round}`);
        const [letter] = await letters.list();
        assert.equal(letter?.reason, `round ${round}`);
        assert.equal(letter.messageId, message?.id);
        assert.deepEqual(letter.headers, { 'msg-id': 'm-1' });
        assert.deepEqual(await letters.redrive([letter.id]), [{ id: letter.id, outcome: 'redriven' }]);
        [message] = await fetchLate(name);
        assert.equal(message?.text(), 'bad');
      }
    });

    test('one that is put back and delayed for long again is not lost', async () => {
      const name = await newStation();
      await memphis.produce(name, 'slow');
      const options = { maxAckTimeMs: 100, batchMaxWaitMs: 10_000 };
      const parked = async (): Promise<void> => {
        const [message] = await fetchAll(name, 'g', options);
        assert.equal(message?.deliveryCount, 1);
        await message.delay(500);
      };
      await parked();
      const [message] = await fetchAll(name, 'g', options);
      assert.equal(message?.deliveryCount, 2);
      await message.deadLetter('x');
      await memphis.station(name).deadLetters().redriveAll();
      await parked();
      const [last] = await fetchAll(name, 'g', options);
      assert.equal(last?.text(), 'slow');
      assert.equal(last.deliveryCount, 2);
    });

    test('what a group had parked is not taken for what it parks after it was destroyed', async () => {
      const name = await newStation();
      await memphis.produce(name, 'slow');
      const options = { maxAckTimeMs: 100, batchMaxWaitMs: 10_000 };
      for (let life = 1; life <= 2; life++) {
        const [message] = await fetchAll(name, 'g', options);
        assert.equal(message?.deliveryCount, 1);
        await message.delay(1_000);
        if (life === 1) await (await memphis.createConsumer(name, { group: 'g' })).destroy();
      }
      const [back] = await fetchAll(name, 'g', options);
      assert.deepEqual([back?.text(), back?.deliveryCount], ['slow', 2]);
    });

    test('into the station it is put back for all groups, in its partition', async () => {
      const name = await newStation({ partitionsNumber: 3 });
      const { partition } = await memphis.produce(name, 'again', { headers: { a: 'b' }, partitionKey: 'key' });
      const [message] = await fetchAll(name);
      await message?.deadLetter('x');
      const letters = memphis.station(name).deadLetters();
      assert.deepEqual(await letters.redriveAll({ to: 'station' }), [{ id: 1, outcome: 'redriven' }]);
      for (const group of ['g', 'other']) {
        const all = await fetchAll(name, group);
        const back = all.at(-1);
        assert.deepEqual([back?.text(), back?.partition, back?.sequence], ['again', partition, 2]);
        assert.deepEqual([back?.headers, back?.partitionKey], [{ a: 'b' }, 'key']);
      }
    });

    test('headers of the server are kept under names of our own, and not put back', async () => {
      const name = await newStation();
      const stream = `${name.replace('.', '#')}$1`;
      const live: [string, string][] = [
        ['Nats-Expected-Stream', stream],
        ['Nats-Rollup', 'all'],
        ['Nats-TTL', '60s'],
        ['a', 'b'],
      ];
      // without Rollup and TTL where the broker refuses them on this stream
      await put(`${stream}.final`, live);
      await put(`${stream}.final`, [live[0] as [string, string], live[3] as [string, string]]);
      for (const message of await fetchAll(name)) await message.deadLetter('x');
      const letters = memphis.station(name).deadLetters();
      for (const letter of await letters.list()) assert.deepEqual(letter.headers, { a: 'b' });
      const stored = await letters.count();
      assert.ok(stored > 0);
      for (const to of ['group', 'station'] as const) {
        const results = await letters.redriveAll({ to });
        assert.deepEqual(
          results.map(({ outcome }) => outcome),
          Array(stored).fill('redriven'),
        );
        let left = stored;
        while (left > 0) {
          const batch = await fetchLate(name);
          left -= batch.length;
          for (const message of batch) await message.deadLetter('x');
        }
      }
      const raw = await withRawApi(broker.port, (api) =>
        api(`STREAM.MSG.GET.${stream}`, { last_by_subj: `${stream}.final` }),
      );
      const headers = Buffer.from(String((raw.message as { hdrs: string }).hdrs), 'base64').toString();
      assert.doesNotMatch(headers, /Expected|Rollup|TTL|kept|_dls_|_retry_/);
    });

    test('a copy that the broker takes for a duplicate is not gone from the dead letters', async () => {
      for (const to of ['group', 'station'] as const) {
        const name = await newStation();
        await setAside(name, 2);
        const letters = memphis.station(name).deadLetters();
        // as if the process had died between storing the copy and dropping the dead letter
        const stream = `${name.replace('.', '#')}$dls`;
        await withRawApi(broker.port, async (api) => {
          const { config } = await api(`STREAM.INFO.${stream}`);
          await api(`STREAM.UPDATE.${stream}`, { ...(config as object), deny_delete: true });
        });
        const cut = await letters.redrive([1], { to });
        if (cut[0]?.outcome === 'redriven') assert.fail('this test needs a dead letter that cannot be dropped');
        assert.equal(cut[0]?.outcome, 'failed');
        assert.ok(isMemphisError(cut[0].error));
        assert.deepEqual(await letters.redrive([1], { to }), [{ id: 1, outcome: 'duplicate' }]);
        assert.deepEqual(ids(await letters.list()), [1, 2]);
        assert.equal((await fetchLate(name)).length, 1, 'the copy is there once');
      }
    });

    test('more than a step are put back, with progress, and none of those that come back meanwhile', async () => {
      const name = await newStation();
      await setAside(name, 130);
      const letters = memphis.station(name).deadLetters();
      const steps: [number, number][] = [];
      const results = await letters.redriveAll({ onProgress: (...step) => steps.push(step) });
      assert.ok(results.every(({ outcome }) => outcome === 'redriven'));
      assert.deepEqual(steps, [
        [50, 130],
        [100, 130],
        [130, 130],
      ]);
      const back = new Map<string, string>();
      while (back.size < 130) for (const message of await fetchLate(name)) back.set(message.id, message.text());
      assert.equal(new Set(back.values()).size, 130);
      assert.deepEqual(await letters.redriveAll(), []);
    });

    test('what progress throws ends the work; what was done by then is done', async () => {
      const name = await newStation();
      await setAside(name, 60);
      const letters = memphis.station(name).deadLetters();
      const onProgress = (): never => {
        throw new Error('enough');
      };
      await assert.rejects(letters.redriveAll({ onProgress }), /enough/);
      assert.equal(await letters.count(), 10);
    });

    test('a group that was destroyed gets its dead letters again', async () => {
      const name = await newStation();
      await setAside(name, 1);
      const consumer = await memphis.createConsumer(name, { group: 'g' });
      await consumer.destroy();
      await memphis.station(name).deadLetters().redriveAll();
      const messages = await fetchLate(name);
      const late = messages.length === 2 ? [] : await fetchLate(name);
      assert.equal(messages.length + late.length, 2, 'the message from the beginning, and its copy');
    });

    test('the time to settle of the group stays as it is', async () => {
      const name = await newStation();
      await memphis.produce(name, 'x');
      const [message] = await fetchAll(name, 'g', { maxAckTimeMs: 77_000 });
      await message?.deadLetter('x');
      await memphis.station(name).deadLetters().redriveAll();
      const { config } = await withRawApi(broker.port, (api) =>
        api(`CONSUMER.INFO.${name.replace('.', '#')}$retry.g$1`),
      );
      assert.equal((config as { ack_wait: number }).ack_wait, 77_000e6);
    });

    test('the largest message is put back whole, either way', async () => {
      const name = await newStation();
      const large = new Uint8Array(1_048_576 - 1_200).fill(120);
      await memphis.produce(name, large);
      const [message] = await fetchAll(name);
      await message?.deadLetter('e'.repeat(5_000));
      const letters = memphis.station(name).deadLetters();
      assert.deepEqual(await letters.redriveAll(), [{ id: 1, outcome: 'redriven' }]);
      const [back] = await fetchLate(name);
      assert.equal(back?.data.length, large.length);
      await back?.deadLetter('e'.repeat(5_000));
      assert.deepEqual(await letters.redriveAll({ to: 'station' }), [{ id: 2, outcome: 'redriven' }]);
      assert.equal((await fetchAll(name, 'other')).at(-1)?.data.length, large.length);
    });

    test('one whose origin or partition is unknown fails alone, and stays', async () => {
      const name = await newStation({ partitionsNumber: 2 });
      const stream = `${name.replace('.', '#')}$dls`;
      await put(`${stream}.some#body`, [['a', 'b']], 'by hand');
      await put(`${stream}.g`, [
        ['$memphis_dls_group', 'g'],
        ['$memphis_dls_partition', '3'],
        ['$memphis_dls_sequence', '1'],
      ]);
      await setAside(name, 1);
      const letters = memphis.station(name).deadLetters();
      const [byHand] = await letters.list();
      assert.deepEqual([byHand?.group, byHand?.reason, byHand?.text()], ['some.body', '', 'by hand']);
      const results = await letters.redriveAll();
      assert.deepEqual(
        results.map(({ outcome, error }) => [outcome, isMemphisError(error) ? error.code : undefined]),
        [
          ['failed', 'INVALID_MESSAGE'],
          ['failed', 'PARTITION_NOT_FOUND'],
          ['redriven', undefined],
        ],
      );
      assert.deepEqual(ids(await letters.list()), [1, 2]);
    });

    test('without room nothing goes, and the rest is not tried', async () => {
      const name = await newStation({ retentionType: 'messages', retentionValue: 1_000 });
      await setAside(name, 60);
      const stream = `${name.replace('.', '#')}$1`;
      await withRawApi(broker.port, async (api) => {
        const { config } = await api(`STREAM.INFO.${stream}`);
        const full = { ...(config as object), max_msgs: 60, discard: 'new' };
        assert.equal((await api(`STREAM.UPDATE.${stream}`, full)).error, undefined);
      });
      const letters = memphis.station(name).deadLetters();
      const all = await letters.redriveAll({ to: 'station' });
      assert.equal(all.length, 50);
      const some = await letters.redrive(ids(await letters.list()), { to: 'station' });
      assert.equal(some.length, 60);
      for (const { outcome, error } of [...all, ...some]) {
        assert.equal(outcome, 'failed');
        hasCode('STORAGE_FULL')(error);
      }
      assert.equal(await letters.count(), 60);
    });

    test('stations of others have them too, and a station without any has none', async () => {
      await withRawApi(broker.port, async (api) => {
        for (const stream of ['foreign$1', 'single']) {
          await api(`STREAM.CREATE.${stream}`, { name: stream, subjects: [`${stream}.>`], storage: 'memory' });
        }
      });
      for (const name of ['foreign', 'single']) {
        const letters = memphis.station(name).deadLetters();
        assert.deepEqual([await letters.list(), await letters.count(), await letters.dropAll()], [[], 0, 0]);
        assert.deepEqual([await letters.redriveAll(), await letters.drop([1])], [[], 0]);
        assert.deepEqual(await letters.redrive([1]), [{ id: 1, outcome: 'missing' }]);
        await memphis.produce(name, 'x');
        const [message] = await fetchAll(name);
        await message?.deadLetter('x');
        assert.equal((await letters.list())[0]?.messageId, message?.id);
        assert.deepEqual(await letters.redriveAll(), [{ id: 1, outcome: 'redriven' }]);
        const [back] = await fetchLate(name);
        assert.equal(back?.id, message?.id);
        await back?.deadLetter('x');
        assert.deepEqual(await letters.redriveAll({ to: 'station' }), [{ id: 2, outcome: 'redriven' }]);
        assert.equal((await fetchAll(name)).length, 1);
      }
    });

    test('a stream that is bound has them under its own name; they go back to their group alone', async () => {
      const config = { name: 'ORDERS', subjects: ['orders.*.>'], storage: 'memory' };
      await withRawApi(broker.port, (api) => api('STREAM.CREATE.ORDERS', config));
      await put('orders.eu.one', [['a', 'b']]);
      assert.equal(await memphis.deadLetters({ stream: 'ORDERS' }).count(), 0);
      const binding = { stream: 'ORDERS', filterSubject: 'orders.eu.>', group: 'Billing' };
      const [message] = await memphis.fetchMessages(binding, { batchMaxWaitMs: 1_000 });
      await message?.deadLetter('x');
      const letters = memphis.deadLetters({ stream: 'ORDERS' });
      await assert.rejects(memphis.deadLetters({ stream: 'NOWHERE' }).count(), hasCode('STATION_NOT_FOUND'));
      const [letter] = await letters.list({ group: 'Billing' });
      assert.deepEqual([letter?.group, letter?.messageId, letter?.partition], ['Billing', 'ORDERS:1', 0]);
      assert.deepEqual(await letters.list({ group: 'billing' }), []);
      await assert.rejects(letters.redriveAll({ to: 'station' }), hasCode('UNSUPPORTED'));
      assert.deepEqual(await letters.redriveAll(), [{ id: 1, outcome: 'redriven' }]);
      const [back] = await memphis.fetchMessages(binding, { batchMaxWaitMs: 10_000 });
      assert.equal(back?.id, 'ORDERS:1');
      await back?.ack();
    });

    test('what cannot be is a typed error, of which the broker hears nothing', async () => {
      const name = await newStation();
      await setAside(name, 1);
      const letters = memphis.station(name).deadLetters();
      const calls: readonly (readonly [() => Promise<unknown>, ErrorCode])[] = [
        [() => letters.list({ limit: 0 }), 'INVALID_OPTION'],
        [() => letters.list({ limit: 1_001 }), 'INVALID_OPTION'],
        [() => letters.list({ limit: '5' as never }), 'INVALID_OPTION'],
        [() => letters.list({ after: -1 }), 'INVALID_OPTION'],
        [() => letters.list({ after: 1.5 }), 'INVALID_OPTION'],
        [() => letters.list({ group: '' }), 'INVALID_OPTION'],
        [() => letters.list({ group: 'a$b' }), 'INVALID_NAME'],
        [() => letters.list({ grup: 'g' } as never), 'INVALID_OPTION'],
        [() => letters.count({ limit: 1 } as never), 'INVALID_OPTION'],
        [() => letters.count({ group: 'a>' }), 'INVALID_NAME'],
        [() => letters.get(0), 'INVALID_OPTION'],
        [() => letters.get('1' as never), 'INVALID_OPTION'],
        [() => letters.drop([0]), 'INVALID_OPTION'],
        [() => letters.drop([1, Number.NaN]), 'INVALID_OPTION'],
        [() => letters.drop(1 as never), 'INVALID_OPTION'],
        [() => letters.drop([1], { group: 'g' } as never), 'INVALID_OPTION'],
        [() => letters.drop([1], { onProgress: true as never }), 'INVALID_OPTION'],
        [() => letters.dropAll({ to: 'group' } as never), 'INVALID_OPTION'],
        [() => letters.redrive([1], { to: 'elsewhere' as never }), 'INVALID_OPTION'],
        [() => letters.redrive(undefined as never), 'INVALID_OPTION'],
        [() => letters.redriveAll({ group: '*' }), 'INVALID_NAME'],
        [() => memphis.station('nowhere').deadLetters().list(), 'STATION_NOT_FOUND'],
        [() => memphis.station('nowhere').deadLetters().count(), 'STATION_NOT_FOUND'],
        [() => memphis.station('nowhere').deadLetters().get(1), 'STATION_NOT_FOUND'],
        [() => memphis.station('nowhere').deadLetters().drop([1]), 'STATION_NOT_FOUND'],
        [() => memphis.station('nowhere').deadLetters().redriveAll(), 'STATION_NOT_FOUND'],
        [async () => memphis.deadLetters('a$b'), 'INVALID_NAME'],
        [async () => memphis.deadLetters({ stream: 'a.b' }), 'INVALID_NAME'],
        [async () => memphis.deadLetters({} as never), 'INVALID_OPTION'],
        [async () => memphis.deadLetters(null as never), 'INVALID_OPTION'],
      ];
      for (const [call, expected] of calls) await assert.rejects(call, hasCode(expected), String(call));
      assert.equal(await letters.count(), 1);
    });
  });
}
