import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { startTimeLimit } from '../../src/connection/time-limit.ts';

test('an answer that came while the process stood still is not late', async (t) => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const [peer] = (await once(server, 'connection')) as [Socket];
  t.after(() => {
    client.destroy();
    server.close();
  });
  await once(client, 'ready');
  const ends: string[] = [];
  const endLimit = startTimeLimit(20, () => ends.push('over'));
  client.once('data', () => {
    ends.push('answer');
    endLimit();
  });
  peer.write('answer');
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 60); // as a freeze: the timer is due, nothing was read
  await sleep(50);
  assert.deepEqual(ends, ['answer']);
});

test('a limit without an answer is over, and an ended one is not', async () => {
  const ends: string[] = [];
  startTimeLimit(5, () => ends.push('over'));
  startTimeLimit(5, () => ends.push('ended'))();
  await sleep(50);
  assert.deepEqual(ends, ['over']);
});
