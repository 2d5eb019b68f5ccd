/** What the connection port promises, held against our own session and against the official client, its oracle. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { wsconnect } from '@nats-io/nats-core';
import { connect as connectOfficial, credsAuthenticator } from '@nats-io/transport-node';
import { openLean } from '../../src/connection/lean/session.ts';
import type { Connection, Credentials, Frame, TlsSettings } from '../../src/connection/port.ts';
import { isMemphisError } from '../../src/model/errors.ts';
import { fromNats } from '../../src/nats/index.ts';
import { type RunningBroker, startBroker } from '../../src/testing/start-broker.ts';
import { makeAuthority, writeFiles } from '../support/certificates.ts';
import { makeOperator } from '../support/operator.ts';
import { serversUnderTest } from '../support/servers.ts';

const empty = new Uint8Array();
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = ({ data }: Frame): string => new TextDecoder().decode(data);

interface Where {
  readonly port: number;
  readonly tls?: TlsSettings;
  readonly user?: string;
  readonly creds?: string;
}

interface Opened extends AsyncDisposable {
  readonly connection: Connection;
}

async function openOurs({ port, tls, user, creds = '' }: Where): Promise<Opened> {
  const [, jwt = '', seed = ''] = /\n(eyJ\S+)\n[\s\S]*\n(SU\S+)\n/.exec(creds) ?? [];
  const signed: Credentials = { kind: 'jwt', jwt, seed };
  const credentials: Credentials | undefined =
    creds !== '' ? signed : user === undefined ? undefined : { kind: 'password', username: user, password: 'p' };
  const connection = openLean({
    server: `127.0.0.1:${port}`,
    name: 'test',
    timeoutMs: 2_000,
    ...(credentials === undefined ? {} : { credentials }),
    ...(tls === undefined ? {} : { tls }),
  });
  return { connection, [Symbol.asyncDispose]: () => connection.close() };
}

async function openTheirs({ port, tls, user, creds }: Where): Promise<Opened> {
  const nc = await connectOfficial({
    servers: `127.0.0.1:${port}`,
    reconnect: false,
    ...(user === undefined ? {} : { user, pass: 'p' }),
    ...(tls?.ca === undefined ? {} : { tls: { ca: tls.ca } }),
    ...(creds === undefined ? {} : { authenticator: credsAuthenticator(bytes(creds)) }),
  });
  const connection = fromNats(nc).open({ timeoutMs: 2_000 }) as Connection;
  return {
    connection,
    async [Symbol.asyncDispose]() {
      await connection.close();
      assert.equal(nc.isClosed(), false, 'is its owner’s to close');
      await nc.close();
    },
  };
}

const implementations = { 'our own session': openOurs, 'the official client': openTheirs };

for (const { binary, version } of serversUnderTest()) {
  for (const [implementation, open] of Object.entries(implementations)) {
    describe(`${implementation} with nats-server ${version}`, () => {
      let broker: RunningBroker;
      let where: Where;
      const rights = 'permissions: { publish: { deny: ["secret", "pull"] }, subscribe: { deny: ["hidden"] } }';
      before(async () => {
        broker = await startBroker({
          binary,
          config: `authorization { users: [{ user: u, password: p, ${rights} }] }`,
        });
        where = { port: broker.port, user: 'u' };
      });
      after(() => broker.stop());

      test('tells what INFO said, once the server has accepted it', async () => {
        await using opened = await open(where);
        const { connection } = opened;
        await connection.accepted;
        await connection.opened;
        const info = await connection.info;
        assert.equal(connection.isAccepted, true);
        assert.equal(info.version, version);
        assert.deepEqual([info.maxPayload, info.jetstream, info.isMemphis], [1_048_576, true, false]);
        assert.ok(info.serverName.length > 0);
        assert.equal(info.apiLevel > 0, !/^2\.(9|10)\./.test(version));
        assert.deepEqual([connection.isClosed, connection.isLeaving, connection.peers], [false, false, []]);
        await connection.flush(1_000);
        assert.ok(connection.rttMs > 0 && connection.rttMs < 2_000);
        assert.ok(Date.now() - connection.heardAt.wall < 2_000);
      });

      test('requests are answered, each with its own answer, in any order and with headers', async () => {
        await using opened = await open(where);
        const { connection } = opened;
        const held: Frame[] = [];
        connection.subscribe('echo', {
          onFrame: (frame) => {
            held.push(frame);
            if (held.length < 50) return;
            for (const { reply, data, headers } of held.reverse()) connection.publish(reply, data, { headers });
          },
        });
        const headers = [
          ['a', '1'],
          ['a', '2'],
          ['B-c', 'wört: 😀'],
          ['empty', ''],
        ] as const;
        const answers = await Promise.all(
          Array.from({ length: 50 }, (_, i) =>
            connection.request('echo', bytes(`${i} 😀`), { timeoutMs: 2_000, headers: i % 2 === 0 ? headers : [] }),
          ),
        );
        for (const [i, answer] of answers.entries()) {
          assert.equal(text(answer), `${i} 😀`);
          assert.deepEqual(answer.headers, i % 2 === 0 ? headers : []);
          assert.deepEqual([answer.status, answer.reply], [0, '']);
        }
      });

      test('nobody there is a 503, a silent one TIMEOUT, and both are over then', async () => {
        await using opened = await open(where);
        const { connection } = opened;
        const nobody = await connection.request('nobody', empty, { timeoutMs: 2_000 });
        assert.deepEqual([nobody.status, nobody.data.length], [503, 0]);
        let late: Frame | undefined;
        connection.subscribe('mute', {
          onFrame: (frame) => {
            late = frame;
          },
        });
        await assert.rejects(connection.request('mute', empty, { timeoutMs: 50 }), (error) =>
          isMemphisError(error, 'TIMEOUT'),
        );
        connection.publish(late?.reply ?? '', empty); // an answer that nobody waits for any more
        await connection.flush(1_000);
      });

      test('a subscription ends after as many frames as it was made for', async () => {
        await using opened = await open(where);
        const { connection } = opened;
        const seen: string[] = [];
        let ends = 0;
        connection.subscribe('limited', { max: 2, onFrame: (frame) => seen.push(text(frame)), onEnd: () => ends++ });
        for (let i = 0; i < 5; i++) connection.publish('limited', bytes(String(i)));
        await connection.flush(1_000);
        assert.deepEqual([seen, ends], [['0', '1'], 1]);
      });

      test('draining hands over what is under way, ending does not, and each says once that it is over', async () => {
        await using opened = await open(where);
        const { connection } = opened;
        const counts = { drained: 0, ended: 0 };
        const ends: (Error | undefined)[] = [];
        const onEnd = (error?: Error): void => void ends.push(error);
        const drained = connection.subscribe('s', { onFrame: () => counts.drained++, onEnd });
        const ended = connection.subscribe('s', { onFrame: () => counts.ended++, onEnd });
        for (let i = 0; i < 100; i++) connection.publish('s', empty);
        ended.end();
        await drained.drain(1_000);
        connection.publish('s', empty);
        await connection.flush(1_000);
        await drained.drain(1_000);
        ended.end();
        assert.deepEqual(counts, { drained: 100, ended: 0 });
        assert.deepEqual(ends, [undefined, undefined]);
      });

      test('without a name a subscription listens on an inbox of its own', async () => {
        await using opened = await open(where);
        const { connection } = opened;
        const frames: Frame[] = [];
        const inboxes = [1, 2].map(() => connection.subscribe('', { onFrame: (frame) => frames.push(frame) }));
        assert.equal(new Set(inboxes.map(({ subject }) => subject)).size, 2);
        connection.publish(inboxes[0]?.subject ?? '', bytes('x'), { reply: 'there' });
        await connection.flush(1_000);
        assert.deepEqual(
          frames.map((frame) => [text(frame), frame.reply, frame.subject]),
          [['x', 'there', inboxes[0]?.subject]],
        );
      });

      test('what is thrown while a frame is taken ends that subscription and nothing else', async () => {
        await using opened = await open(where);
        const { connection } = opened;
        const ended = new Promise<Error | undefined>((resolve) => {
          connection.subscribe('a', {
            onFrame: () => {
              throw new Error('not mine');
            },
            onEnd: resolve,
          });
        });
        connection.publish('a', empty);
        assert.equal((await ended)?.message, 'not mine');
        await connection.flush(1_000);
      });

      test('a subject that the user may not use is PERMISSION_DENIED at once, and the session goes on', async () => {
        await using opened = await open(where);
        const { connection } = opened;
        await assert.rejects(connection.request('secret', empty, { timeoutMs: 5_000 }), (error) =>
          isMemphisError(error, 'PERMISSION_DENIED'),
        );
        const pulled = new Promise<Error | undefined>((resolve) => {
          const { subject } = connection.subscribe('', { onFrame: () => {}, onEnd: resolve });
          connection.publish('pull', empty, { reply: subject });
        });
        assert.ok(isMemphisError(await pulled, 'PERMISSION_DENIED'));
        const heard = new Promise<Error | undefined>((resolve) => {
          connection.subscribe('hidden', { onFrame: () => {}, onEnd: resolve });
        });
        assert.ok(isMemphisError(await heard, 'PERMISSION_DENIED'));
        await connection.flush(1_000);
      });

      test('what would break the protocol is refused before it is written', async () => {
        await using opened = await open(where);
        const { connection } = opened;
        await connection.accepted;
        for (const subject of ['', 'a b', 'a\r\nPUB b 0', 'a\t']) {
          assert.throws(() => connection.publish(subject, empty), { code: 'INVALID_MESSAGE' });
        }
        const headers = [['a', 'b\r\nNats-Rollup: all']] as const;
        assert.throws(() => connection.publish('a', empty, { headers }), { code: 'INVALID_MESSAGE' });
        await assert.rejects(connection.request('a', new Uint8Array(1_048_577), { timeoutMs: 1_000 }), {
          code: 'PAYLOAD_TOO_LARGE',
        });
        await connection.flush(1_000);
      });

      test('a payload of the largest size arrives whole, and what was written may be changed afterwards', async () => {
        await using opened = await open(where);
        const { connection } = opened;
        await connection.accepted;
        const arrived = new Promise<Frame>((resolve) => {
          connection.subscribe('large', { max: 1, onFrame: resolve });
        });
        const data = new Uint8Array(1_048_576).fill(7);
        connection.publish('large', data);
        if (implementation === 'our own session') data.fill(0);
        const frame = await arrived;
        assert.equal(frame.data.length, data.length);
        assert.ok(frame.data.every((byte) => byte === 7));
        assert.equal(Object.getPrototypeOf(frame.data), Uint8Array.prototype);
      });

      test('closing ends what is under way, sends what was written, and nothing can be begun afterwards', async () => {
        await using witness = await open(where);
        const seen: string[] = [];
        witness.connection.subscribe('last', { onFrame: (frame) => seen.push(text(frame)) });
        await witness.connection.flush(1_000);
        await using opened = await open(where);
        const { connection } = opened;
        connection.subscribe('mute', { onFrame: () => {} });
        const waiting = assert.rejects(connection.request('mute', empty, { timeoutMs: 5_000 }), {
          code: 'CONNECTION_LOST',
        });
        const ended = new Promise<Error | undefined>((resolve) => {
          connection.subscribe('a', { onFrame: () => {}, onEnd: resolve });
        });
        await connection.accepted;
        connection.publish('last', bytes('word'));
        await connection.close();
        await waiting;
        assert.ok(isMemphisError(await ended, 'CONNECTION_LOST'));
        assert.equal(await connection.closed, undefined);
        assert.equal(connection.isClosed, true);
        for (const begin of [
          () => connection.publish('x', empty),
          () => connection.subscribe('x', { onFrame: () => {} }),
        ]) {
          assert.throws(begin, { code: 'CONNECTION_LOST' });
        }
        await assert.rejects(connection.request('x', empty, { timeoutMs: 1_000 }), { code: 'CONNECTION_LOST' });
        await assert.rejects(connection.flush(1_000), { code: 'CONNECTION_LOST' });
        for (const deadline = Date.now() + 2_000; seen.length === 0 && Date.now() < deadline; ) {
          await witness.connection.flush(1_000);
        }
        assert.deepEqual(seen, ['word']);
      });

      test('of a session that is left, what is on its way is handed over, and what is begun behind that fails at once', async () => {
        await using opened = await open(where);
        const { connection } = opened;
        await connection.accepted;
        const seen: string[] = [];
        const ended = new Promise<Error | undefined>((resolve) => {
          connection.subscribe('a', { onFrame: (frame) => seen.push(text(frame)), onEnd: resolve });
        });
        connection.publish('a', bytes('on its way'));
        const left = connection.leave();
        for (const begin of [
          () => connection.publish('a', bytes('behind it')),
          () => connection.publishAll(['a'], 'behind it'),
          () => connection.subscribe('x', { onFrame: () => {} }),
        ]) {
          assert.throws(begin, { code: 'CONNECTION_LOST' });
        }
        await assert.rejects(connection.request('a', empty, { timeoutMs: 5_000 }), { code: 'CONNECTION_LOST' });
        await left;
        assert.equal(connection.isClosed, true);
        assert.ok(isMemphisError(await ended, 'CONNECTION_LOST'));
        if (implementation === 'our own session') assert.deepEqual(seen, ['on its way']);
      });

      test('a session that is lost says so to all who wait on it', async () => {
        await using doomed = await startBroker({ binary });
        const { connection } = await open({ port: doomed.port });
        await connection.accepted;
        connection.subscribe('mute', { onFrame: () => {} });
        const request = assert.rejects(connection.request('mute', empty, { timeoutMs: 10_000 }), {
          code: 'CONNECTION_LOST',
        });
        const thrown: unknown[] = [];
        const listener = new Promise<unknown>((resolve) => {
          connection.subscribe('a', { onFrame: () => {}, onEnd: resolve });
        }).then(async (error) => {
          // step by step through the end of the session, which takes the client several
          for (let step = 0; step < 100; step++) {
            try {
              connection.subscribe('b', { onFrame: () => {} });
            } catch (refusal) {
              thrown.push(refusal);
            }
            await (step < 50 ? null : new Promise(setImmediate));
          }
          return error;
        });
        await connection.flush(1_000);
        await doomed.kill();
        assert.ok(isMemphisError(await listener, 'CONNECTION_LOST'), 'not an end like that of a pull that was filled');
        await request;
        assert.ok((await connection.closed) instanceof Error);
        assert.ok(thrown.length > 0);
        for (const error of thrown) assert.ok(isMemphisError(error, 'CONNECTION_LOST'), String(error));
        await assert.rejects(connection.flush(1_000), { code: 'CONNECTION_LOST' });
      });

      test('works over TLS, and with .creds', async () => {
        const authority = await makeAuthority();
        const site = await makeOperator();
        await using files = await writeFiles(
          await authority.issue({ name: 'server', dns: ['localhost'], ips: ['127.0.0.1'] }),
        );
        const tls = `tls { cert_file: "${files.paths.cert}", key_file: "${files.paths.key}", timeout: 5 }`;
        await using encrypted = await startBroker({ binary, config: `${tls}\n${site.config}` });
        await using opened = await open({
          port: encrypted.port,
          tls: { ca: authority.ca },
          creds: await site.credsOf(),
        });
        const { connection } = opened;
        connection.subscribe('echo', { onFrame: ({ reply, data }) => connection.publish(reply, data) });
        const sent = 'x'.repeat(300_000);
        assert.equal(text(await connection.request('echo', bytes(sent), { timeoutMs: 2_000 })), sent);
        assert.equal((await connection.request('nobody', empty, { timeoutMs: 2_000 })).status, 503);
      });
    });
  }
}

test('a connection that was handed in is good for everything, stays open, and reconnects by itself', async () => {
  await using broker = await startBroker();
  const nc = await connectOfficial({ servers: broker.url, reconnectTimeWait: 50, maxReconnectAttempts: -1 });
  const { connect } = await import('../../src/index.ts');
  const { withMemphis } = await import('../../src/lambda/index.ts');
  const connection = fromNats(nc);
  const memphis = await connect({ connection });
  await memphis.createStation('orders');
  await memphis.produce('orders', 'one');
  const seen: string[] = [];
  const handler = withMemphis((messages) => void seen.push(...messages.map((message) => message.text())), {
    connection,
    station: 'orders',
    group: 'g',
  });
  await handler({}, {} as never);
  await broker.kill();
  await broker.restart();
  await memphis.produce('orders', 'two');
  await handler({}, {} as never);
  assert.deepEqual(seen, ['one', 'two']);
  await memphis.close();
  assert.equal(nc.isClosed(), false);
  await nc.close();
  await assert.rejects(connect({ connection }), { code: 'CONNECT_FAILED' });
});

test('a WebSocket connection is as good', async () => {
  // the port is asked for before, so another process might take it: then the server does not start, and the next one is tried
  const start = async (tries: number): Promise<{ broker: RunningBroker; port: number }> => {
    const probe = createServer().listen(0, '127.0.0.1');
    await once(probe, 'listening');
    const { port } = probe.address() as AddressInfo;
    probe.close();
    await once(probe, 'close');
    try {
      return { broker: await startBroker({ config: `websocket { listen: "127.0.0.1:${port}", no_tls: true }` }), port };
    } catch (error) {
      if (tries <= 1) throw error;
      return start(tries - 1);
    }
  };
  const { broker, port } = await start(3);
  await using _ = broker;
  const nc = await wsconnect({ servers: `ws://127.0.0.1:${port}` });
  const { connect } = await import('../../src/index.ts');
  const memphis = await connect({ connection: fromNats(nc) });
  await memphis.createStation('orders');
  await memphis.produce('orders', 'over WebSocket', { headers: { a: 'b' } });
  const [message] = await memphis.fetchMessages('orders', { group: 'g', batchSize: 1 });
  assert.deepEqual([message?.text(), message?.headers], ['over WebSocket', { a: 'b' }]);
  await message?.ack();
  await memphis.close();
  await nc.close();
});

test('a connection of something else is INVALID_OPTION', async () => {
  const { connect } = await import('../../src/index.ts');
  for (const connection of [{}, null, 'nats://a', () => {}] as never[]) {
    await assert.rejects(connect({ connection }), { code: 'INVALID_OPTION', option: 'connection' });
  }
});
