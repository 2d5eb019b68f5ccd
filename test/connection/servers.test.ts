/** Several servers: in which order, what a dead, silent or unfriendly one costs, and what is left behind. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { sharedSession } from '../../src/client/session.ts';
import { dialInTurn } from '../../src/connection/dial-in-turn.ts';
import { makeLink } from '../../src/connection/open.ts';
import type { Connection } from '../../src/connection/port.ts';
import { ServerList } from '../../src/connection/server-list.ts';
import { type Client, connect, isMemphisError, MemphisError } from '../../src/index.ts';
import { connectOptions } from '../../src/model/options/connect.ts';
import { resolveOptions } from '../../src/model/resolve-options.ts';
import { type RunningBroker, startBroker } from '../../src/testing/start-broker.ts';
import { info, startFakeServer } from '../support/fake-server.ts';
import { fails } from '../support/works.ts';

let broker: RunningBroker;
before(async () => {
  broker = await startBroker({ username: 'u', password: 'p' });
});
after(() => broker.stop());

const who = { username: 'u', password: 'p' };
const linkTo = (options: Record<string, unknown>) => makeLink(resolveOptions('connect', connectOptions, options));
const until = async (holds: () => boolean): Promise<void> => {
  for (const deadline = Date.now() + 3_000; !holds() && Date.now() < deadline; ) await sleep(10);
  assert.ok(holds());
};

test('of three servers two are dead, hang, or talk nonsense: the third one is found, wherever it stands', async () => {
  await using hanging = await startFakeServer();
  await using alsoHanging = await startFakeServer();
  await using rude = await startFakeServer((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
  await using halfway = await startFakeServer((socket) => socket.write(info()));
  const dead = 'nats://127.0.0.1:1';
  for (const bad of [
    [dead, dead.replace(':1', ':2')],
    [hanging.url, alsoHanging.url],
    [dead, hanging.url],
    [rude.url, halfway.url],
  ]) {
    for (const servers of [
      [...bad, broker.url],
      [bad[0], broker.url, bad[1]],
      [broker.url, ...bad],
    ] as string[][]) {
      const startedAt = performance.now();
      const memphis = await connect({ servers, ...who, timeoutMs: 6_000 });
      assert.ok(performance.now() - startedAt < 4_000);
      await memphis.close();
    }
  }
  await until(() => hanging.open() + alsoHanging.open() + halfway.open() === 0);
});

test('a server that takes no more clients is passed over, and alone it is CONNECT_FAILED', async () => {
  await using full = await startBroker({ config: 'max_connections: 1' });
  const firstInPlace = async (): Promise<Client> => {
    // the look whether the server is up may still count as a client
    for (const deadline = Date.now() + 3_000; ; await sleep(10)) {
      const error: unknown = await connect({ servers: [full.url], ...who }).catch((reason: unknown) => reason);
      if (!isMemphisError(error, 'CONNECT_FAILED') || Date.now() > deadline) return error as Client;
    }
  };
  const first = await firstInPlace();
  assert.equal((await fails({ servers: [full.url], ...who }, 'CONNECT_FAILED')).retryable, true);
  const second = await connect({ servers: [full.url, broker.url], ...who });
  await Promise.all([first.close(), second.close()]);
});

test('when all are silent the time is spent once, and every socket is closed', async () => {
  await using first = await startFakeServer();
  await using second = await startFakeServer();
  const startedAt = performance.now();
  const error = await fails({ servers: [first.url, second.url], timeoutMs: 600 }, 'CONNECT_FAILED');
  assert.ok(performance.now() - startedAt < 2_000);
  assert.match(error.message, new RegExp(`${first.port}[^]*${second.port}|${second.port}[^]*${first.port}`));
  assert.deepEqual([first.accepted(), second.accepted()], [1, 1]);
  await until(() => first.open() + second.open() === 0);
});

test('a socket on which TLS was begun is closed too', async () => {
  await using silent = await startFakeServer();
  await using half = await startFakeServer((socket) => socket.write(info({ tls_required: true })));
  const timeoutMs = 300;
  await fails({ servers: [silent.url], timeoutMs, tls: { handshakeFirst: true } }, 'CONNECT_FAILED');
  await fails({ servers: [half.url], timeoutMs, tls: true }, 'CONNECT_FAILED');
  await fails({ servers: [half.url], timeoutMs }, 'CONNECT_FAILED');
  assert.deepEqual([silent.accepted(), half.accepted()], [1, 2]);
  await until(() => silent.open() + half.open() === 0);
});

test('a client that is closed while it dials hangs up at once', async () => {
  await using silent = await startFakeServer();
  const link = linkTo({ servers: [silent.url], timeoutMs: 10_000 });
  const dialling = assert.rejects(link.ready(Date.now() + 10_000), (error) => isMemphisError(error, 'CLOSED'));
  await until(() => silent.open() === 1);
  await link.close();
  await dialling;
  await until(() => silent.open() === 0);
});

test('of different errors the one that tells most is thrown, with the words of all', async () => {
  const dead = 'nats://127.0.0.1:1';
  const error = await fails({ servers: [dead, broker.url], username: 'u', password: 'wrong' }, 'AUTHENTICATION_FAILED');
  assert.match(error.message, /127\.0\.0\.1:1\b/);
  assert.match(error.message, new RegExp(`:${broker.port}`));
  await fails({ servers: [dead, broker.url.replace('nats', 'tls')], ...who }, 'TLS_FAILED');
});

test('a caller waits for the dial of another one no longer than its own time', async () => {
  await using silent = await startFakeServer();
  const link = linkTo({ servers: [silent.url], timeoutMs: 5_000 });
  const patient = link.ready(Date.now() + 5_000).catch((error: unknown) => error);
  const startedAt = performance.now();
  await assert.rejects(link.ready(Date.now() + 200), (error) => isMemphisError(error, 'CONNECT_FAILED'));
  assert.ok(performance.now() - startedAt < 2_000);
  await link.close();
  assert.ok(isMemphisError(await patient, 'CLOSED'));
});

test('a dial that began before and fails is not the failure of who joined it: that one dials anew', async () => {
  let greetings = 0;
  // as a server that has lost patience with a frozen client, and then answers the next one
  await using flaky = await startFakeServer((socket) => {
    socket.write(info());
    const isFirst = ++greetings === 1;
    socket.on('data', (chunk) => {
      if (isFirst) setTimeout(() => socket.end("-ERR 'Authentication Timeout'\r\n"), 100);
      else if (chunk.includes('PING')) socket.write('PONG\r\n');
    });
  });
  const session = sharedSession(resolveOptions('connect', connectOptions, { servers: [flaky.url] }));
  session.warm();
  await until(() => greetings === 1);
  await session.broker({ deadlineMs: Date.now() + 3_000, isAccepted: true });
  assert.equal(greetings, 2);
  await session.close();
});

/** A connection whose opening the test decides about. */
function makeOpening(): { connection: Connection; open(): void; fail(error: unknown): void; isClosed(): boolean } {
  let open: () => void = () => {};
  let fail: (error: unknown) => void = () => {};
  let isClosed = false;
  const opened = new Promise<never>((resolve, reject) => {
    open = resolve as () => void;
    fail = reject;
  });
  const close = async (): Promise<void> => {
    isClosed = true;
  };
  return {
    connection: { opened, accepted: opened, info: opened, close } as unknown as Connection,
    open,
    fail,
    isClosed: () => isClosed,
  };
}

const tick = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const accepting = { until: 'accepted', onBegin: () => {} } as const;
const refused = new MemphisError('CONNECT_FAILED', 'refused');

test('a server that refuses makes room at once; one that is silent goes on beside the next, and may still win', async () => {
  const openings = ['a', 'b', 'c'].map(makeOpening);
  const begun: string[] = [];
  const dial = (target: string): Connection => {
    begun.push(target);
    return (openings[begun.length - 1] as ReturnType<typeof makeOpening>).connection;
  };
  const result = dialInTurn(['a', 'b', 'c'], dial, { staggerMs: 30, ...accepting });
  openings[0]?.fail(refused);
  await tick();
  assert.deepEqual(begun, ['a', 'b']);
  await sleep(60);
  assert.deepEqual(begun, ['a', 'b', 'c']);
  openings[1]?.open();
  const { winner, failures } = await result;
  assert.equal(winner?.target, 'b');
  assert.deepEqual(failures, [{ target: 'a', error: refused }]);
  assert.deepEqual(
    openings.map((opening) => opening.isClosed()),
    [false, false, true],
  );
});

test('one that was silent until a later one answered is told apart; an error that concerns all ends the round', async () => {
  const [slow, fast] = [makeOpening(), makeOpening()];
  const silent = dialInTurn(['slow', 'fast'], (target) => (target === 'slow' ? slow : fast).connection, {
    staggerMs: 5,
    ...accepting,
  });
  await sleep(20);
  fast.open();
  assert.deepEqual((await silent).failures, [{ target: 'slow' }]);
  assert.ok(slow.isClosed());

  const begun: string[] = [];
  const damaged = makeOpening();
  const dial = (target: string): Connection => {
    begun.push(target);
    return damaged.connection;
  };
  const fatal = dialInTurn(['a', 'b'], dial, { staggerMs: 1_000, ...accepting });
  const error = new MemphisError('INVALID_OPTION', 'the seed is damaged');
  damaged.fail(error);
  assert.deepEqual(await fatal, { failures: [{ target: 'a', error }] });
  assert.deepEqual(begun, ['a']);
});

test('a round that is given up closes all that it has begun', async () => {
  const openings = [makeOpening(), makeOpening()];
  let begun = 0;
  let giveUp = (): void => {};
  const dial = (): Connection => (openings[begun++] as ReturnType<typeof makeOpening>).connection;
  const result = dialInTurn(['a', 'b'], dial, {
    staggerMs: 5,
    until: 'accepted',
    onBegin: (end) => {
      giveUp = end;
    },
  });
  await sleep(20);
  giveUp();
  assert.deepEqual(await result, { failures: [] });
  assert.deepEqual(
    openings.map((opening) => opening.isClosed()),
    [true, true],
  );
});

const address = (server: string) => ({ server, insistsOnTls: false });
const names = fc.uniqueArray(fc.stringMatching(/^[a-z]{1,4}:\d{1,4}$/), { minLength: 1, maxLength: 8 });

test('every server is tried once; those that failed lately come last, and those that options name first', () => {
  fc.assert(
    fc.property(names, names, fc.func(fc.boolean()), (configured, learned, hasFailed) => {
      const list = new ServerList(configured.map(address));
      const told = configured[0] ?? '';
      list.learn(learned, address(told));
      const all = new Set([...configured, ...learned]);
      for (const server of all) if (hasFailed(server)) list.failed(address(server));
      const rank = (server: string): number => (hasFailed(server) ? 2 : 0) + (configured.includes(server) ? 0 : 1);
      const order = list.inTurn().map(({ server }) => server);
      assert.deepEqual([...order].sort(), [...all].sort());
      assert.deepEqual(order.map(rank), order.map(rank).sort());
      assert.ok(!list.inTurn(address(told)).some(({ server }) => server === told));
    }),
  );
});

test('many functions that dial at the same time spread over the servers', () => {
  const servers = ['a:1', 'b:1', 'c:1'];
  const counts = new Map<string, number>();
  for (let i = 0; i < 3_000; i++) {
    const first = new ServerList(servers.map(address)).inTurn()[0]?.server ?? '';
    counts.set(first, (counts.get(first) ?? 0) + 1);
  }
  for (const server of servers) assert.ok((counts.get(server) ?? 0) > 800, JSON.stringify([...counts]));
});

test('a failure is forgotten after a while, and when the server worked again', (t) => {
  const list = new ServerList(['a:1', 'b:1'].map(address));
  const lasts = (): Set<string | undefined> => new Set(Array.from({ length: 50 }, () => list.inTurn()[1]?.server));
  list.failed(address('a:1'));
  assert.deepEqual(lasts(), new Set(['a:1']));
  list.worked(address('a:1'));
  assert.equal(lasts().size, 2);
  list.failed(address('a:1'));
  const realNow = Date.now;
  t.mock.method(Date, 'now', () => realNow() + 60_000);
  assert.equal(lasts().size, 2);
});

test('what a cluster says of itself replaces what it said before; a server that names nobody changes nothing', () => {
  const list = new ServerList([address('a:1')]);
  const known = (): string[] =>
    list
      .inTurn()
      .map(({ server }) => server)
      .sort();
  list.learn(['a:1', 'b:1', 'c:1'], address('a:1'));
  assert.deepEqual(known(), ['a:1', 'b:1', 'c:1']);
  list.learn(['a:1', 'c:1'], address('a:1'));
  assert.deepEqual(known(), ['a:1', 'c:1']);
  list.learn([], address('a:1'));
  assert.deepEqual(known(), ['a:1', 'c:1']);
});
