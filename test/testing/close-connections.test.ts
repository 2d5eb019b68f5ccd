/** A process in which functions ran ends when their connections are closed, though the broker goes on. */

import assert from 'node:assert/strict';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { withMemphis } from '../../src/lambda/index.ts';
import { closeConnections, makeContext, startBroker } from '../../src/testing/index.ts';

test('what functions keep open is closed, and the next invocation connects anew', async () => {
  await using broker = await startBroker();
  const sockets: Socket[] = [];
  const note = (message: unknown): void => void sockets.push((message as { socket: Socket }).socket);
  subscribe('net.client.socket', note);
  const settings = { servers: [broker.url], createStationOnFirstUse: true };
  const handler = withMemphis(() => {}, { ...settings, station: 'orders', group: 'billing' });
  for (const round of [1, 2]) {
    assert.partialDeepStrictEqual(await handler({}, makeContext()), { received: 0 });
    const socket = sockets.at(-1);
    assert.equal(sockets.length, round);
    assert.equal(socket?.destroyed, false);
    await closeConnections();
    for (let n = 0; n < 200 && !socket.destroyed; n++) await sleep(20); // it says goodbye first
    assert.equal(socket.destroyed, true);
  }
  unsubscribe('net.client.socket', note);
});
