/** The lean session with a server that plays: what leaves when, and that nothing a server says makes it hang or mix things up. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises';
import { createUser } from '@nats-io/nkeys';
import fc from 'fast-check';
import { openLean } from '../../../src/connection/lean/session.ts';
import { makeLink } from '../../../src/connection/open.ts';
import type { Connection, DialOptions } from '../../../src/connection/port.ts';
import { isMemphisError } from '../../../src/model/errors.ts';
import { connectOptions } from '../../../src/model/options/connect.ts';
import { resolveOptions } from '../../../src/model/resolve-options.ts';
import { info, startFakeServer } from '../../support/fake-server.ts';

const empty = new Uint8Array();
const open = (port: number, more: Partial<DialOptions> = {}): Connection =>
  openLean({ server: `127.0.0.1:${port}`, name: 'test', timeoutMs: 2_000, ...more });

/** Greets, accepts whoever comes, and hands over what each of its requests is to be answered on. */
const accepts = (onRequest: (socket: Socket, reply: string) => void) => (socket: Socket) => {
  socket.write(info());
  socket.on('data', (chunk) => {
    if (chunk.includes('PING')) socket.write('PONG\r\n');
    for (const [, reply = ''] of String(chunk).matchAll(/^PUB \S+ (\S+) /gm)) onRequest(socket, reply);
  });
};

test('CONNECT and the first requests leave in one piece, before the server has said a word, where that is allowed', async () => {
  const chunks: string[] = [];
  await using server = await startFakeServer((socket) => socket.on('data', (chunk) => chunks.push(String(chunk))));
  const connection = open(server.port, {
    tls: false,
    early: true,
    credentials: { kind: 'password', username: 'u', password: 'p' },
  });
  const listening = connection.subscribe('', { onFrame: () => {} });
  connection.publish('pull', empty, { reply: listening.subject });
  await connection.opened;
  connection.request('look', empty, { timeoutMs: 1_000 }).catch(() => {});
  while (chunks.length === 0) await new Promise(setImmediate);
  assert.match(
    chunks.join('|'),
    /^CONNECT \{[^|]*"user":"u","pass":"p"[^|]*\}\r\nPING\r\nSUB (\S+) 2\r\nPUB pull \1 0\r\n\r\nSUB (\S+\.)\* 1\r\nPUB look \2\S+ 0\r\n\r\n$/,
  );
  assert.equal(connection.isAccepted, false);
  await connection.close();
});

for (const [what, more] of [
  ['TLS may be asked for', { early: true }],
  ['nobody said that it may', { tls: false }],
  [
    'a nonce must be signed',
    {
      tls: false,
      early: true,
      credentials: { kind: 'nkey', seed: String(new TextDecoder().decode(createUser().getSeed())) },
    },
  ],
] as const) {
  test(`nothing leaves before INFO where ${what}`, async () => {
    const { promise: arrived, resolve } = Promise.withResolvers<Socket>();
    await using server = await startFakeServer(resolve);
    const connection = open(server.port, more);
    connection.publish('a', empty);
    const socket = await arrived;
    for (let i = 0; i < 20; i++) await new Promise(setImmediate);
    assert.equal(server.received().length, 0);
    socket.write(info({ nonce: 'abc' }));
    await connection.opened;
    await once(socket, 'data');
    assert.match(String(server.received()), /^CONNECT .*\r\nPING\r\nPUB a 0\r\n\r\n$/);
    if ('credentials' in more) assert.match(String(server.received()), /"nkey":"U[A-Z2-7]{55}","sig":"[\w-]{86}"/);
    await connection.close();
  });
}

test('what follows INFO in clear where TLS begins is not believed', async () => {
  await using server = await startFakeServer((socket) =>
    socket.write(`${info({ tls_required: true })}INFO {"connect_urls":["evil:1"]}\r\n`),
  );
  const connection = open(server.port);
  await assert.rejects(connection.accepted, { code: 'CONNECT_FAILED' });
  assert.equal(server.received().includes('CONNECT'), false);
});

test('a server that greets in another protocol is told of in whole sentences', async () => {
  await using server = await startFakeServer((socket) => socket.write('HTTP/1.1 400 Bad Request\r\n\r\n'));
  await assert.rejects(open(server.port).accepted, {
    code: 'CONNECT_FAILED',
    message: /does not speak the protocol of NATS: [^.]+ cannot be right\. Check servers, /,
  });
});

for (const [what, words] of [
  ['another protocol', 'HTTP/1.1 400 Bad Request\r\n\r\n'],
  ['a message of another size than announced', 'MSG a 1 1\r\nxyz\r\n'],
  ['an INFO that is no JSON', 'INFO {{{\r\n'],
  ['a line without an end', 'INFO '.padEnd(70_000, 'x')],
] as const) {
  test(`${what} in the middle of a session ends it at once: what was under way is CONNECTION_LOST`, async () => {
    const { promise: closed, resolve } = Promise.withResolvers<void>();
    await using server = await startFakeServer(
      accepts((socket) => {
        socket.on('close', () => resolve());
        socket.write(words);
      }),
    );
    const connection = open(server.port);
    const ended = new Promise<unknown>((onEnd) => connection.subscribe('a', { onFrame: () => {}, onEnd }));
    await assert.rejects(connection.request('x', empty, { timeoutMs: 60_000 }), (error) => {
      assert.ok(isMemphisError(error, 'CONNECTION_LOST') && error.retryable);
      return isMemphisError(error.cause, 'PROTOCOL_ERROR') && !error.cause.message.includes(words.slice(0, 6));
    });
    assert.ok(isMemphisError(await ended, 'CONNECTION_LOST'));
    assert.ok(isMemphisError(await connection.closed, 'PROTOCOL_ERROR'));
    await closed;
  });
}

test('an answer goes to the request that it is for, and to nobody where it is for none', async () => {
  await using server = await startFakeServer(
    accepts((socket, reply) => {
      const [inbox = '', key = ''] = reply.split(/\.(?=\w+$)/);
      const say = (subject: string, sid: number, text: string): unknown =>
        socket.write(`MSG ${subject} ${sid} ${text.length}\r\n${text}\r\n`);
      say(`${inbox}.${key}-`, 1, 'another key');
      say(`${inbox}.`, 1, 'no key');
      say(`_INBOX.other.${key}`, 1, 'another inbox');
      say(key, 1, 'the key alone');
      say(reply, 7, 'a subscription that there is not');
      say(reply, 1, `for ${key}`);
      say(reply, 1, 'once more');
    }),
  );
  const connection = open(server.port);
  const answers = await Promise.all(
    Array.from({ length: 40 }, () => connection.request('x', empty, { timeoutMs: 2_000 })),
  );
  const texts = answers.map(({ data, subject }) => [Buffer.from(data).toString(), subject.split('.').at(-1)]);
  for (const [text, key] of texts) assert.equal(text, `for ${key}`);
  assert.equal(new Set(texts.map(([text]) => text)).size, 40);
  await connection.close();
});

test('words of a server about one subject end what is about it, and no more; other words end the session', async () => {
  await using server = await startFakeServer(
    accepts((socket, reply) => {
      socket.write(`-ERR 'Permissions Violation for Publish to "secret"'\r\n`);
      socket.write(`-ERR 'Permissions Violation - cant access the requested station'\r\n`);
      if (reply.endsWith('3')) socket.write("-ERR 'Stale Connection'\r\n");
    }),
  );
  const connection = open(server.port);
  const other = connection.request('other', empty, { timeoutMs: 10_000 }).catch((error: unknown) => error);
  await assert.rejects(connection.request('secret', empty, { timeoutMs: 10_000 }), { code: 'PERMISSION_DENIED' });
  await connection.flush(1_000);
  connection.request('last', empty, { timeoutMs: 10_000 }).catch(() => {});
  assert.ok(isMemphisError(await other, 'CONNECTION_LOST'));
  assert.match(String(await connection.closed), /Stale Connection/);
});

test('a server that asks is answered, and may say INFO at any time', async () => {
  const { promise: pongs, resolve } = Promise.withResolvers<void>();
  await using server = await startFakeServer(
    accepts((socket, reply) => {
      socket.on('data', (chunk) => chunk.includes('PONG') && resolve());
      socket.write(`PING\r\n${info({ connect_urls: ['10.0.0.1:4222'], ldm: true })}MSG ${reply} 1 2\r\nok\r\n`);
    }),
  );
  const connection = open(server.port);
  await connection.request('x', empty, { timeoutMs: 2_000 });
  assert.deepEqual([connection.peers, connection.isLeaving], [['10.0.0.1:4222'], true]);
  await pongs;
  await connection.close();
});

test('an INFO whose fields are of other kinds does no harm', async () => {
  for (const odd of [null, 7, 'x', [], {}, [[null, 7, {}]], true] as const) {
    const fields = ['server_name', 'version', 'max_payload', 'jetstream', 'api_lvl', 'ldm', 'connect_urls', 'nonce'];
    await using server = await startFakeServer((socket) => {
      socket.write(info(Object.fromEntries(fields.map((field) => [field, odd]))));
      socket.on('data', (chunk) => chunk.includes('PING') && socket.write('PONG\r\n'));
    });
    const link = makeLink(resolveOptions('connect', connectOptions, { servers: [server.url] }));
    const connection = await link.ready(Date.now() + 2_000, { isAccepted: true });
    assert.equal(typeof (await connection.info).version, 'string');
    connection.publish('a', empty);
    await connection.flush(1_000);
    link.discard(connection, 'as a test wants it'); // takes over what INFO named
    await link.close();
  }
});

test('whatever comes, every wait ends typed, and nobody listens any more', { timeout: 60_000 }, async () => {
  const noise = fc.oneof(
    fc.constantFrom('MSG ', 'HMSG a 1 ', 'INFO {', '-ERR ', 'PONG\r\n', '+OK\r\n', '\r\n', 'PING\r\n', ' 1 1\r\n'),
    fc.string({ maxLength: 20 }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(noise, { minLength: 1, maxLength: 6 }), async (words) => {
      await using server = await startFakeServer(
        accepts((socket) => {
          socket.write(words.join(''));
          socket.end();
        }),
      );
      const connection = open(server.port);
      const waits = [
        connection.request('x', empty, { timeoutMs: 60_000 }),
        connection.flush(60_000),
        new Promise((_, onEnd) => connection.subscribe('a', { onFrame: () => {}, onEnd })),
      ];
      for (const { status, reason } of (await Promise.allSettled(waits)) as PromiseRejectedResult[]) {
        assert.ok(status !== 'rejected' || isMemphisError(reason), String(reason));
      }
      await connection.closed;
      assert.equal(connection.isClosed, true);
    }),
    { numRuns: 150 },
  );
});

test('a session that is closed with more to send than its server takes keeps no socket open', async () => {
  await using server = await startFakeServer((socket) => {
    socket.write(info());
    socket.once('data', () => {
      socket.write('PONG\r\n');
      socket.pause();
    });
  });
  const sockets = (): number => process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length;
  const until = async (holds: () => boolean): Promise<void> => {
    for (const deadline = Date.now() + 20_000; !holds() && Date.now() < deadline; ) await sleep(20);
  };
  await until(() => sockets() === 0); // those of other tests
  const connection = open(server.port);
  await connection.accepted;
  for (let i = 0; i < 30; i++) connection.publish('a', new Uint8Array(1_000_000));
  await turn();
  await connection.close();
  await sleep(500);
  assert.equal(sockets(), 2, 'there is more than fits anywhere, and it is being sent');
  await until(() => sockets() < 2);
  assert.equal(sockets(), 1);
});

test('no timer is left when nobody waits', async () => {
  await using server = await startFakeServer(accepts((socket, reply) => socket.write(`MSG ${reply} 1 0\r\n\r\n`)));
  const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
  const before = timers();
  const connection = open(server.port, { timeoutMs: 60_000 });
  await connection.accepted;
  await Promise.all(Array.from({ length: 10 }, () => connection.request('x', empty, { timeoutMs: 60_000 })));
  await connection.flush(60_000);
  await turn(); // it ends with the tick
  assert.equal(timers(), before);
  const waiting = assert.rejects(connection.flush(60_000));
  assert.equal(timers(), before + 1);
  await connection.close();
  await waiting;
  assert.equal(timers(), before);
});

test('messages that are held stay as they came while more is read', async () => {
  const held: Uint8Array[] = [];
  const payloadOf = (number: number): string => String(number).repeat(200);
  await using server = await startFakeServer(
    accepts((socket, reply) => {
      const data = payloadOf(Number(reply.at(-1)));
      socket.write(`MSG ${reply} 1 ${data.length}\r\n${data}\r\n`);
    }),
  );
  const connection = open(server.port);
  for (let number = 1; number <= 3; number++) {
    const { data } = await connection.request('look', empty, { timeoutMs: 1_000 });
    held.push(data);
  }
  const texts = held.map((data) => Buffer.from(data).toString());
  assert.deepEqual(texts, [1, 2, 3].map(payloadOf));
  await connection.close();
});
