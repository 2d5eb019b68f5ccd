/** How a pull ends, by the statuses that servers send. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type PullEnd, startPull } from '../../../src/brokers/jetstream/wire/pull.ts';
import type { Connection, Frame } from '../../../src/connection/port.ts';

type SubscribeOptions = Parameters<Connection['subscribe']>[1];

/** A pull, and the connection that it was made on, after one status. */
async function afterStatus(status: number, statusText: string) {
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

test('a server that says that it shuts down is left for another one, and no other status does that', async () => {
  assert.equal((await afterStatus(409, 'Server Shutdown')).connection.isLeaving, true);
  assert.equal((await afterStatus(409, 'Leadership Change')).connection.isLeaving, false);
});
