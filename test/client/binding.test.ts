/** Binding to streams and groups that others made: read as they are, never changed. */

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { isBefore } from '../../src/brokers/jetstream/server-version.ts';
import { callApi, isJson, type Json } from '../../src/brokers/jetstream/wire/api.ts';
import { readersOf } from '../../src/brokers/readers.ts';
import { openLean } from '../../src/connection/lean/session.ts';
import type { Connection } from '../../src/connection/port.ts';
import { type Client, connect, type Message } from '../../src/index.ts';
import { each, withMemphis } from '../../src/lambda/index.ts';
import { createPoller } from '../../src/poller/index.ts';
import { makeContext } from '../../src/testing/make-context.ts';
import { type RunningBroker, startBroker } from '../../src/testing/start-broker.ts';
import { readDeadLetters } from '../support/dead-letters.ts';
import { hasCode } from '../support/has-code.ts';
import { serversUnderTest } from '../support/servers.ts';

const texts = (messages: readonly Message[]): string[] => messages.map((message) => message.text());

for (const { binary, version } of serversUnderTest()) {
  describe(`bindings on nats-server ${version}`, () => {
    let broker: RunningBroker;
    let memphis: Client;
    let raw: Connection;
    const api = (subject: string, body?: Json): Promise<Json> => callApi(raw, subject, 'test', 2_000, body);
    const makeStream = async (name: string, extra: Json = {}): Promise<void> => {
      const subjects = [`${name.toLowerCase()}.>`];
      await api(`STREAM.CREATE.${name}`, { name, subjects, storage: 'memory', ...extra });
    };
    const store = async (subject: string, text: string): Promise<void> => {
      await raw.request(subject, Buffer.from(text), { timeoutMs: 2_000 });
    };
    const makeDurable = async (stream: string, name: string, config: Json): Promise<Json> =>
      api(`CONSUMER.DURABLE.CREATE.${stream}.${name}`, {
        stream_name: stream,
        config: { durable_name: name, ack_policy: 'explicit', ...config },
      });
    const configOf = async (stream: string, name: string): Promise<unknown> =>
      (await api(`CONSUMER.INFO.${stream}.${name}`)).config;

    before(async () => {
      broker = await startBroker({ binary });
      memphis = await connect({ servers: [broker.url] });
      raw = openLean({ server: `127.0.0.1:${broker.port}`, name: 'test', timeoutMs: 2_000 });
    });
    after(async () => {
      await raw.close();
      await memphis.close();
      await broker.stop();
    });

    test('reads what a filter lets through, and leaves stream and group as they were', async () => {
      await makeStream('ORDERS');
      for (const subject of ['orders.eu.1', 'orders.us.1', 'orders.eu.2']) await store(subject, subject);
      const streamBefore = (await api('STREAM.INFO.ORDERS')).config;
      await makeDurable('ORDERS', 'Billing', { filter_subject: 'orders.eu.>', ack_wait: 60e9, max_deliver: 5 });
      const before = await configOf('ORDERS', 'Billing');
      const binding = { stream: 'ORDERS', filterSubject: 'orders.eu.>', group: 'Billing' };
      const consumer = await memphis.createConsumer(binding, { maxAckTimeMs: 1_000 });
      const messages = await consumer.fetch();
      assert.deepEqual(texts(messages), ['orders.eu.1', 'orders.eu.2']);
      assert.deepEqual(
        messages.map(({ id, station, partition, sequence }) => ({ id, station, partition, sequence })),
        [
          { id: 'ORDERS:1', station: 'ORDERS', partition: 0, sequence: 1 },
          { id: 'ORDERS:3', station: 'ORDERS', partition: 0, sequence: 3 },
        ],
      );
      await Promise.all(messages.map((message) => message.ack()));
      assert.deepEqual(await configOf('ORDERS', 'Billing'), before);
      assert.deepEqual((await api('STREAM.INFO.ORDERS')).config, streamBefore);
      assert.deepEqual(await consumer.fetch({ batchMaxWaitMs: 0 }), []);
    });

    const hasPriorities = !isBefore(version, 2, 11);
    test('says so when the settings of a group refuse its requests, where servers know such settings', async () => {
      await makeStream('RANKED');
      await store('ranked.a', 'text');
      const { config } = await makeDurable('RANKED', 'first', { priority_groups: ['a'], priority_policy: 'overflow' });
      assert.equal(isJson(config) && config.priority_policy !== undefined, hasPriorities);
      if (!hasPriorities) {
        // an older server passes the settings over, and hands out its messages as ever
        assert.equal((await memphis.fetchMessages({ stream: 'RANKED', group: 'first' })).length, 1);
        return;
      }
      for (const batchMaxWaitMs of [0, 200]) {
        await assert.rejects(memphis.fetchMessages({ stream: 'RANKED', group: 'first' }, { batchMaxWaitMs }), {
          code: 'BROKER_REFUSED',
          message: /RANKED.*Priority Group missing/,
        });
      }
    });

    test('asks for no more at once, and waits no longer at once, than its group allows', async () => {
      await makeStream('LIMITS');
      const texts10 = Array.from({ length: 10 }, (_, index) => `text ${index}`);
      for (const text of texts10) await store('limits.a', text);
      await makeDurable('LIMITS', 'few', { max_batch: 3, ack_wait: 60e9 });
      const few = { stream: 'LIMITS', group: 'few' };
      assert.deepEqual(texts(await memphis.fetchMessages(few, { batchSize: 10, batchMaxWaitMs: 0 })), texts10);

      await makeDurable('LIMITS', 'brief', { max_expires: 200e6, filter_subject: 'limits.none' });
      let requests = 0;
      const spy = raw.subscribe('$JS.API.CONSUMER.MSG.NEXT.LIMITS.brief', { onFrame: () => void requests++ });
      await raw.flush(2_000);
      const brief = { stream: 'LIMITS', group: 'brief' };
      assert.deepEqual(await memphis.fetchMessages(brief, { batchMaxWaitMs: 500 }), []);
      spy.end();
      assert.ok(requests < 100, `asked ${requests} times in half a second`);
    });

    test('makes a group that is missing, with the filter; without one, all of the stream', async () => {
      await makeStream('EVENTS');
      for (const subject of ['events.a', 'events.b']) await store(subject, subject);
      assert.deepEqual(
        texts(await memphis.fetchMessages({ stream: 'EVENTS', filterSubject: 'events.b', group: 'one' })),
        ['events.b'],
      );
      assert.deepEqual(texts(await memphis.fetchMessages({ stream: 'EVENTS' }, { group: 'all' })), [
        'events.a',
        'events.b',
      ]);
      assert.deepEqual(texts(await memphis.fetchMessages({ stream: 'EVENTS', group: 'last' }, { lastMessages: 1 })), [
        'events.b',
      ]);
    });

    test('retries, dead letters and long delays work as on a station', async () => {
      await makeStream('JOBS');
      for (const n of [1, 2, 3]) await store('jobs.x', String(n));
      const options = { group: 'g', maxAckTimeMs: 200, batchMaxWaitMs: 3_000 };
      const [first, second, third] = await memphis.fetchMessages({ stream: 'JOBS' }, options);
      await Promise.all([first?.deadLetter('bad'), second?.delay(50), third?.delay(1_000)]);
      assert.equal((await readDeadLetters(broker.port, 'JOBS'))[0]?.text, '1');
      const [again] = await memphis.fetchMessages({ stream: 'JOBS' }, options);
      assert.deepEqual([again?.text(), again?.deliveryCount], ['2', 2]);
      await again?.ack();
      const [parked] = await memphis.fetchMessages({ stream: 'JOBS' }, options);
      assert.deepEqual([parked?.id, parked?.deliveryCount], ['JOBS:3', 2]);
      await parked?.ack();
    });

    test('messages that have used up the deliveries of a group of others do not make a fetch hang', async () => {
      await makeStream('SPENT');
      await store('spent.x', '1');
      await makeDurable('SPENT', 'g', { max_deliver: 1, ack_wait: 200e6 });
      assert.equal((await memphis.fetchMessages({ stream: 'SPENT', group: 'g' })).length, 1);
      await sleep(500);
      assert.deepEqual(await memphis.fetchMessages({ stream: 'SPENT', group: 'g' }, { batchMaxWaitMs: 0 }), []);
      await store('spent.x', '2');
      assert.deepEqual(texts(await memphis.fetchMessages({ stream: 'SPENT', group: 'g' })), ['2']);
    });

    test('given back on the last delivery that a group of others allows, a message still comes', async () => {
      await makeStream('LAST');
      await store('last.x', '1');
      await makeDurable('LAST', 'g', { max_deliver: 2, ack_wait: 5e9 });
      const source = { station: 'LAST', group: 'g', binding: { stream: 'LAST' } };
      const reader = readersOf(await memphis.session.broker()).reader({
        ...source,
        ackWaitMs: 5_000,
        maxDeliveries: 10,
      });
      const seen: unknown[] = [];
      for (const action of ['giveBack', 'giveBack', 'giveBack', 'ack'] as const) {
        const batch = await reader.pull({ batchSize: 10, waitMs: 3_000 });
        for (const message of batch.messages) {
          seen.push([message.id, message.deliveryCount]);
          await batch.settle(message, { action });
        }
      }
      const last = ['LAST:1', 2];
      assert.deepEqual(seen, [['LAST:1', 1], last, last, last]);
    });

    test('a dead letter of a stream that was made anew is not taken for one of the stream before', async () => {
      for (const text of ['old', 'new']) {
        await api('STREAM.DELETE.ANEW').catch(() => {});
        await makeStream('ANEW');
        await store('anew.x', text);
        const [message] = await memphis.fetchMessages({ stream: 'ANEW' }, { group: 'g' });
        await message?.deadLetter('bad');
      }
      const letters = await memphis.deadLetters({ stream: 'ANEW' }).list();
      assert.deepEqual(
        letters.map((letter) => letter.text()),
        ['old', 'new'],
      );
    });

    test('a function is bound by its options', async () => {
      await makeStream('BILLS');
      for (const subject of ['bills.eu', 'bills.us']) await store(subject, JSON.stringify({ subject }));
      const seen: unknown[] = [];
      const handler = withMemphis(
        each((value) => {
          seen.push(value);
        }),
        { stream: 'BILLS', filterSubject: 'bills.eu', group: 'mail', servers: [broker.url] },
      );
      const summary = await handler({}, makeContext());
      assert.deepEqual(seen, [{ subject: 'bills.eu' }]);
      assert.partialDeepStrictEqual(summary, { station: 'BILLS', group: 'mail', received: 1, acked: 1 });
    });

    test('a poller is bound by its mapping', async () => {
      await makeStream('MAILS');
      for (const subject of ['mails.eu', 'mails.us']) await store(subject, JSON.stringify({ subject }));
      const events: { station: string; messages: { id: string; body: string }[] }[] = [];
      const lambda = {
        send: async ({ input }: { input: { Payload: Uint8Array } }) => {
          events.push(JSON.parse(Buffer.from(input.Payload).toString()));
          return { StatusCode: 200, Payload: Buffer.from('{"batchItemFailures":[]}') };
        },
      };
      const mapping = { stream: 'MAILS', filterSubject: 'mails.us', group: 'Post', functionName: 'post' };
      const poller = createPoller({ mappings: [mapping], connection: memphis, lambda, idleExitMs: 300 });
      const { mappings } = await poller.run();
      assert.partialDeepStrictEqual(mappings[0], { name: 'MAILS-to-Post', polled: 1, acked: 1 });
      assert.deepEqual(
        events.map(({ station, messages }) => [station, messages.map(({ id, body }) => [id, body])]),
        [['MAILS', [['MAILS:2', '{"subject":"mails.us"}']]]],
      );
    });

    test('refuses a group that cannot be what was asked for', async () => {
      await makeStream('THEIRS');
      await makeDurable('THEIRS', 'push', { deliver_subject: 'somewhere' });
      await makeDurable('THEIRS', 'none', { ack_policy: 'none' });
      await makeDurable('THEIRS', 'sums', { ack_policy: 'all' });
      await makeDurable('THEIRS', 'eu', { filter_subject: 'theirs.eu' });
      await makeDurable('THEIRS', 'many', {});
      const fetch = (options: Record<string, unknown>): Promise<unknown> =>
        memphis.fetchMessages({ stream: 'THEIRS' }, { batchMaxWaitMs: 0, ...options });
      for (const group of ['push', 'none', 'sums'])
        await assert.rejects(fetch({ group }), hasCode('GROUP_CONFLICT'), group);
      await assert.rejects(
        memphis.fetchMessages({ stream: 'THEIRS', filterSubject: 'theirs.us', group: 'eu' }),
        hasCode('GROUP_CONFLICT'),
      );
      await assert.rejects(fetch({ group: 'many', ordered: true }), hasCode('GROUP_CONFLICT'));
      await assert.rejects(fetch({ group: 'many', startConsumeFromSequence: 5 }), hasCode('GROUP_CONFLICT'));
      assert.deepEqual(await fetch({ group: 'many' }), []);
    });

    test('refuses what is no binding', async () => {
      const fetch = (source: unknown, options?: unknown): Promise<unknown> =>
        memphis.fetchMessages(source as string, options as never);
      await assert.rejects(fetch({ stream: 'NOT_THERE', group: 'g' }), {
        code: 'STATION_NOT_FOUND',
        message: 'There is no stream NOT_THERE. Make it first.',
      });
      for (const stream of ['a b', 'a.b', 'a*', '>', 'a/b']) {
        await assert.rejects(fetch({ stream, group: 'g' }), hasCode('INVALID_NAME'), stream);
      }
      for (const filterSubject of ['a..b', '.a', 'a b', 'a.>.b', 'a*']) {
        await assert.rejects(
          fetch({ stream: 'ORDERS', filterSubject, group: 'g' }),
          hasCode('INVALID_OPTION'),
          filterSubject,
        );
      }
      await assert.rejects(fetch({ stream: 'ORDERS', group: 'g' }, { group: 'h' }), hasCode('INVALID_OPTION'));
      await assert.rejects(fetch('orders', { stream: 'ORDERS', group: 'g' }), hasCode('INVALID_OPTION'));
      await assert.rejects(fetch('orders', { filterSubject: 'x', group: 'g' }), hasCode('INVALID_OPTION'));
      await assert.rejects(fetch({ stream: 'ORDERS', subject: 'x', group: 'g' }), hasCode('INVALID_OPTION'));
      await assert.rejects(fetch(7, { group: 'g' }), hasCode('INVALID_OPTION'));
      await assert.rejects(fetch({ stream: 'ORDERS', group: 'a.b' }), hasCode('INVALID_NAME'));
      await assert.rejects(fetch({ stream: 'ORDERS', group: 'g' }, { partition: 1 }), hasCode('INVALID_OPTION'));
    });
  });
}
