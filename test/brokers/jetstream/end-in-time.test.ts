/** What ends when a pull is over its time, and what a first flight leaves behind on a session that ends under it. */

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { endInTime, FirstFlight } from '../../../src/brokers/jetstream/first-flight.ts';
import type { Group } from '../../../src/brokers/jetstream/groups.ts';
import { openLean } from '../../../src/connection/lean/session.ts';
import type { Connection } from '../../../src/connection/port.ts';
import { MemphisError } from '../../../src/model/errors.ts';
import { info, startFakeServer } from '../../support/fake-server.ts';

/** A session that was silent for a minute, and whose server is told of each ping behind the first one. */
async function silentSession(t: TestContext, onPing: (say: (words: string) => void) => void) {
  let pings = 0;
  const server = await startFakeServer((socket) => {
    socket.write(info());
    socket.on('data', (chunk) => {
      if (!chunk.includes('PING')) return;
      if (pings++ === 0) socket.write('PONG\r\n');
      else onPing((words) => socket.write(words));
    });
  });
  const connection = openLean({ server: `127.0.0.1:${server.port}`, name: 'test', timeoutMs: 2_000 });
  t.after(async () => {
    await connection.close();
    await server[Symbol.asyncDispose]();
  });
  await connection.accepted;
  const realNow = Date.now;
  const silent = t.mock.method(Date, 'now', () => realNow() + 60_000);
  const endLimit = endInTime(connection, Date.now(), Number.POSITIVE_INFINITY);
  t.after(endLimit);
  return { connection, pings: () => pings, wake: () => silent.mock.restore() };
}

test('a session whose pull is over its time is pinged before it is ended, and one that answers stays', async (t) => {
  const pinged = Promise.withResolvers<void>();
  const { connection, pings } = await silentSession(t, (say) => {
    say('PONG\r\n');
    pinged.resolve();
  });
  await Promise.race([pinged.promise, connection.closed]);
  await sleep(600); // more than an answer may take
  assert.deepEqual([connection.isClosed, pings()], [false, 2]);
});

test('one that does not answer is ended', async (t) => {
  const { connection, pings, wake } = await silentSession(t, () => {});
  assert.equal(await connection.closed, undefined);
  wake();
  assert.equal(pings(), 2);
});

test('a session on which something is heard meanwhile is only far away: its answer to the ping may take longer', async (t) => {
  const answered = Promise.withResolvers<void>();
  const { connection, wake } = await silentSession(t, (say) => {
    wake();
    const words = setInterval(() => say('+OK\r\n'), 20);
    setTimeout(() => {
      clearInterval(words);
      say('PONG\r\n');
      answered.resolve();
    }, 600);
  });
  await Promise.race([answered.promise, connection.closed]);
  assert.equal(connection.isClosed, false);
});

const request = { station: 'jobs', partition: 1, batchSize: 2, settleByMs: Number.POSITIVE_INFINITY };
const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
const group = {
  isShared: false,
  refresh: () => undefined,
  own: async () => undefined,
  placeOf: () => ({ stream: 'jobs$1', durable: 'g' }),
} as unknown as Group;

test('a first flight that finds its session ended leaves no timer', async () => {
  await using server = await startFakeServer();
  const connection = openLean({ server: `127.0.0.1:${server.port}`, name: 'test', timeoutMs: 2_000 });
  await connection.close();
  const before = timers();
  assert.throws(() => new FirstFlight(connection, group, request, Date.now() + 60_000), { code: 'CONNECTION_LOST' });
  assert.equal(timers(), before);
});

test('a session that ends before what came early is given back fails nobody', async () => {
  let hasEnded = false;
  const handed: Parameters<Connection['subscribe']>[1][] = [];
  const connection = {
    isClosed: false,
    heardAt: { wall: 0, monotonic: 0 },
    subscribe: (_: string, given: (typeof handed)[0]) => {
      handed.push(given);
      return { subject: 'inbox', end: () => {}, drain: async () => given.onEnd?.() };
    },
    publish: () => {
      if (hasEnded) throw new MemphisError('CONNECTION_LOST', 'over');
    },
    startLimit: () => () => {},
  } as unknown as Connection;
  const flight = new FirstFlight(connection, group, request, Date.now() + 60_000);
  for (const reply of ['a', 'b']) handed[0]?.onFrame({ reply, status: 0 } as never);
  await flight.end();
  assert.equal(flight.isLeft, true);
  hasEnded = true;
  assert.deepEqual(await flight.giveBack(1), []);
});
