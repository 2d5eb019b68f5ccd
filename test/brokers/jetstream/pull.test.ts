/** How a pull ends, by the statuses that servers send. */

import assert from 'node:assert/strict';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { test } from 'node:test';
import { type PullEnd, startPull } from '../../../src/brokers/jetstream/wire/pull.ts';
import { openLean } from '../../../src/connection/lean/session.ts';
import type { Connection, Frame } from '../../../src/connection/port.ts';
import { connect } from '../../../src/index.ts';
import { startBroker } from '../../../src/testing/start-broker.ts';
import { withRawApi } from '../../support/raw-api.ts';

type SubscribeOptions = Parameters<Connection['subscribe']>[1];

/** A pull, and the connection that it was made on, after one status. */
async function afterStatus(status: number, statusText: string, ...before: readonly string[]) {
  let options: SubscribeOptions | undefined;
  const connection = {
    isLeaving: false,
    heardAt: { wall: Date.now(), monotonic: 0 },
    subscribe: (_: string, given: SubscribeOptions) => {
      options = given;
      return { subject: '_INBOX.x', end: () => {}, drain: async () => {} };
    },
    publish: () => {},
    startLimit: () => () => {},
  };
  const request = { stream: 's', durable: 'd', batch: 1, waitMs: 1_000, mayHang: false, silenceMs: 5_000 };
  const pull = startPull(connection as unknown as Connection, request, () => assert.fail('no message came'));
  for (const text of before) options?.onFrame({ status: 409, statusText: text, data: new Uint8Array() } as Frame);
  options?.onFrame({ status, statusText, data: new Uint8Array() } as Frame);
  return { end: await pull.ended, connection };
}

test('every status that ends a pull says what is to be done', async () => {
  const ends: readonly (readonly [number, string, PullEnd])[] = [
    [404, 'No Messages', 'done'],
    [408, 'Request Timeout', 'done'],
    [409, 'Message Size Exceeds MaxBytes', 'done'],
    [409, 'Consumer Deleted', 'missing'],
    [503, '', 'missing'],
    [409, 'Leadership Change', 'moved'],
    [409, 'Server Shutdown', 'moved'],
    [409, 'Exceeded MaxRequestBatch of 5', 'missing'],
    [400, 'Bad Request - Priority Group missing', '400 Bad Request - Priority Group missing'],
  ];
  for (const [status, text, end] of ends) assert.equal((await afterStatus(status, text)).end, end, text);
});

test('a server that has no room for one more that waits is not asked again before the wait is over', async () => {
  assert.equal((await afterStatus(408, 'Request Timeout', 'Exceeded MaxWaiting')).end, 'done');
});

test('a server that says that it shuts down is left for another one, and no other status does that', async () => {
  assert.equal((await afterStatus(409, 'Server Shutdown')).connection.isLeaving, true);
  assert.equal((await afterStatus(409, 'Leadership Change')).connection.isLeaving, false);
});

/** A pull that hears nothing until its limit is over, and what that was. */
async function unheard(waitMs: number, isAnswered: boolean) {
  let limitMs = 0;
  let onOver = (): void => {};
  const connection = {
    heardAt: { wall: 0, monotonic: 0 },
    subscribe: (_: string, { onEnd }: SubscribeOptions) => ({
      subject: '_INBOX.x',
      end: () => {},
      drain: async () => {
        if (isAnswered) connection.heardAt = { wall: Date.now() + 1, monotonic: 0 };
        onEnd?.();
      },
    }),
    publish: () => {},
    startLimit: (ms: number, given: () => void) => {
      limitMs = ms;
      onOver = given;
      return () => {};
    },
  };
  const request = { stream: 's', durable: 'd', batch: 1, waitMs, mayHang: false, silenceMs: waitMs + 100 };
  const pull = startPull(connection as unknown as Connection, request, () => assert.fail('no message came'));
  const given = limitMs;
  while (limitMs > 0) {
    limitMs = 0;
    onOver();
    await new Promise((resolve) => setTimeout(resolve, limitMs));
  }
  return { limitMs: given, end: await pull.ended };
}

test('a wait of which the server says nothing is over with its time, where the server answers as it is taken back', async () => {
  assert.deepEqual(await unheard(1_000, true), { limitMs: 1_100, end: 'done' });
  assert.deepEqual(await unheard(1_000, false), { limitMs: 1_100, end: 'silent' });
});

test('a request for what is there that is not answered is silence, also of a server that answers pings', async () => {
  assert.deepEqual(await unheard(0, true), { limitMs: 100, end: 'silent' });
  assert.deepEqual(await unheard(0, false), { limitMs: 100, end: 'silent' });
});

test('a group of others that has no room for one more that waits is waited for no longer than was asked for', async () => {
  await using broker = await startBroker();
  const memphis = await connect({ servers: [broker.url] });
  await memphis.createStation('jobs', { storageType: 'memory' });
  const config = { durable_name: 'g', ack_policy: 'explicit', filter_subject: 'jobs$1.final', max_waiting: 1 };
  await withRawApi(broker.port, (api) => api('CONSUMER.DURABLE.CREATE.jobs$1.g', { stream_name: 'jobs$1', config }));
  const other = openLean({ server: `127.0.0.1:${broker.port}`, name: 'other', timeoutMs: 2_000 });
  const { subject } = other.subscribe('', { onFrame: () => {} });
  other.publish('$JS.API.CONSUMER.MSG.NEXT.jobs$1.g', Buffer.from('{"batch":1,"expires":60000000000}'), {
    reply: subject,
  });
  await other.flush(2_000);
  let retries = 0;
  const onRetry = (): void => void retries++;
  subscribe('memphis-serverless:retry', onRetry);
  assert.deepEqual(await memphis.fetchMessages('jobs', { group: 'g', batchSize: 1, batchMaxWaitMs: 300 }), []);
  unsubscribe('memphis-serverless:retry', onRetry);
  assert.equal(retries, 0, 'it was not taken for a group that does not answer');
  await other.close();
  await memphis.close();
});
