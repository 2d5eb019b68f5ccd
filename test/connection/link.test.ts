/** The link and the connection port on real servers: dials, credentials, ended and frozen sessions. */

import assert from 'node:assert/strict';
import diagnostics from 'node:diagnostics_channel';
import { createServer } from 'node:net';
import { after, before, test } from 'node:test';
import { openLean } from '../../src/connection/lean/session.ts';
import { makeLink } from '../../src/connection/open.ts';
import { isMemphisError } from '../../src/model/errors.ts';
import { connectOptions } from '../../src/model/options/connect.ts';
import { resolveOptions } from '../../src/model/resolve-options.ts';
import { type RunningBroker, startBroker } from '../../src/testing/start-broker.ts';
import { info, startFakeServer } from '../support/fake-server.ts';

let broker: RunningBroker;
before(async () => {
  broker = await startBroker();
});
after(() => broker.stop());

const linkTo = (options: Record<string, unknown>) => makeLink(resolveOptions('connect', connectOptions, options));
const soon = (): number => Date.now() + 3_000;

test('concurrent uses share one dial, and a failed dial is forgotten', async () => {
  let dials = 0;
  const link = linkTo({
    servers: [broker.url],
    username: 'a',
    password: () => {
      dials++;
      return 'b';
    },
  });
  const connections = await Promise.all(Array.from({ length: 10 }, () => link.ready(soon())));
  assert.equal(new Set(connections).size, 1);
  assert.equal(dials, 1);
  await link.close();
  await assert.rejects(link.ready(soon()), (error) => isMemphisError(error, 'CLOSED'));
});

test('a dial that is over because another caller had less time does not fail for who still has some', async (t) => {
  let accepted = 0;
  await using server = await startFakeServer((socket) => {
    if (accepted++ === 0) return; // the first one hears nothing
    socket.write(info());
    socket.on('data', (chunk) => chunk.includes('PING') && socket.write('PONG\r\n'));
  });
  const link = linkTo({ servers: [server.url] });
  const now = Date.now();
  // a dial that began before its caller, be it by a millisecond, might be of before a freeze, and says nothing anyway
  const stopped = t.mock.method(Date, 'now', () => now);
  const calls = [link.ready(now + 100), link.ready(now + 10_000, { isAccepted: true })];
  stopped.mock.restore();
  const [hasted, patient] = await Promise.allSettled(calls);
  assert.ok(hasted?.status === 'rejected' && isMemphisError(hasted.reason, 'CONNECT_FAILED'));
  assert.equal(patient?.status, 'fulfilled');
  assert.equal(accepted, 2);
  await link.close();
});

test('a server that is not there is CONNECT_FAILED, and the next use dials again', async () => {
  const port = await freePort();
  const link = linkTo({ servers: [`nats://127.0.0.1:${port}`], timeoutMs: 500 });
  await assert.rejects(link.ready(soon()), (error) => isMemphisError(error, 'CONNECT_FAILED') && error.retryable);
  const late = await startBroker({ port });
  try {
    await (await link.ready(soon())).flush(1_000);
    assert.ok(link.isConnected());
  } finally {
    await link.close();
    await late.stop();
  }
});

test('of several servers the first that answers is taken', async () => {
  const link = linkTo({ servers: [`nats://127.0.0.1:${await freePort()}`, broker.url] });
  await (await link.ready(soon())).flush(1_000);
  await link.close();
});

test('credentials: user and password, token, in the address or as options; wrong ones are AUTHENTICATION_FAILED', async () => {
  const guarded = await startBroker({ username: 'u', password: 'p@ss' });
  const tokened = await startBroker({ token: 'secret-token' });
  try {
    const good: Record<string, unknown>[] = [
      { servers: [guarded.url.replace('//', '//u:p%40ss@')] },
      { servers: [guarded.url], username: 'u', password: 'p@ss' },
      { servers: [guarded.url], username: 'u', password: async () => 'p@ss' },
      { servers: [tokened.url], connectionToken: 'secret-token' },
      { servers: [tokened.url], username: 'anybody', connectionToken: 'secret-token' },
      { servers: [tokened.url.replace('//', '//secret-token@')] },
      { host: '127.0.0.1', port: tokened.port, connectionToken: 'secret-token' },
    ];
    for (const options of good) {
      const link = linkTo(options);
      await (await link.ready(soon())).flush(1_000);
      await link.close();
    }
    const bad: Record<string, unknown>[] = [
      { servers: [guarded.url] },
      { servers: [guarded.url], username: 'u', password: 'wrong-password' },
      { servers: [tokened.url], connectionToken: 'wrong-token' },
    ];
    for (const options of bad) {
      const link = linkTo(options);
      await assert.rejects(link.ready(soon(), { isAccepted: true }), (error) => {
        assert.ok(isMemphisError(error, 'AUTHENTICATION_FAILED'), String(error));
        assert.match(error.message, /missing, wrong, expired or revoked/);
        assert.doesNotMatch(`${error.message} ${String(error.cause)}`, /wrong-password|wrong-token/);
        return true;
      });
      await link.close();
    }
  } finally {
    await guarded.stop();
    await tokened.stop();
  }
});

test('addresses that cannot be meant are refused before anything is dialled, without showing a password', () => {
  for (const options of [
    {},
    { servers: ['http://a:1'] },
    { servers: ['tls://a:1'], tls: false },
    { servers: ['nats://u:hush@'] },
    { servers: ['nats://u:hush@a:99999'] },
    { servers: ['nats://u:hush@a/path'] },
    { servers: ['a'], host: 'b' },
    { servers: ['a'], password: 'hush' },
  ]) {
    assert.throws(
      () => linkTo(options),
      (error) => isMemphisError(error, 'INVALID_OPTION') && !error.message.includes('hush'),
    );
  }
});

test('a session that the server closed is replaced on the next use, and that can be watched', async () => {
  const own = await startBroker();
  const link = linkTo({ servers: [own.url] });
  const seen: string[] = [];
  const listen = (name: string) => (): void => void seen.push(name);
  const onReplace = listen('replace');
  const onDial = listen('dial');
  diagnostics.subscribe('memphis-serverless:replace', onReplace);
  diagnostics.subscribe('memphis-serverless:dial', onDial);
  try {
    const first = await link.ready(soon());
    await own.restart();
    await first.closed;
    assert.equal(link.isConnected(), false);
    const second = await link.ready(Date.now() + 5_000);
    assert.notEqual(second, first);
    await second.flush(1_000);
    assert.deepEqual(seen, ['dial', 'replace', 'dial']);
  } finally {
    diagnostics.unsubscribe('memphis-serverless:replace', onReplace);
    diagnostics.unsubscribe('memphis-serverless:dial', onDial);
    await link.close();
    await own.stop();
  }
});

test('with reconnect off, a lost connection stays lost', async () => {
  const own = await startBroker();
  const link = linkTo({ servers: [own.url], reconnect: false });
  const first = await link.ready(soon(), { isAccepted: true });
  await own.kill();
  await first.closed;
  await assert.rejects(link.ready(soon()), (error) => isMemphisError(error, 'CONNECTION_LOST') && !error.retryable);
  await link.close();
  await own.stop();
});

test('an idle session whose server hangs is replaced by one with another server', async (t) => {
  const [one, other] = await Promise.all([startBroker(), startBroker()]);
  const link = linkTo({ servers: [one.url, other.url] });
  const first = await link.ready(soon());
  const { serverName } = await first.info;
  const probe = openLean({ server: `127.0.0.1:${one.port}`, name: 'test', timeoutMs: 1_000 });
  const hung = (await probe.info).serverName === serverName ? one : other;
  await probe.close();
  hung.freeze();
  const realNow = Date.now;
  t.mock.method(Date, 'now', () => realNow() + 60_000);
  const startedAt = performance.now();
  try {
    // the frozen server still accepts on TCP, so a dial to it is silent, and the other one is dialled beside it
    const next = await link.ready(Date.now() + 3_000);
    assert.notEqual((await next.info).serverName, serverName);
    assert.ok(performance.now() - startedAt < 2_500);
    await next.flush(1_000);
  } finally {
    hung.thaw();
    await link.close();
    await Promise.all([one.stop(), other.stop()]);
  }
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

test('a password function that throws or never answers is CONNECT_FAILED, without its words in the message', async () => {
  const options = { servers: [broker.url], username: 'a', timeoutMs: 100 };
  const throwing = linkTo({ ...options, password: () => Promise.reject(new Error('s3cret')) });
  await assert.rejects(throwing.ready(soon()), (error) => {
    assert.ok(isMemphisError(error, 'CONNECT_FAILED'));
    return error.option === 'password' && !error.message.includes('s3cret');
  });
  const hanging = linkTo({ ...options, password: () => new Promise(() => {}) });
  await assert.rejects(hanging.ready(soon()), (error) => isMemphisError(error, 'CONNECT_FAILED'));
  await Promise.all([throwing.close(), hanging.close()]);
});

test('credentials with a bare % are INVALID_OPTION, and not shown', () => {
  assert.throws(
    () => linkTo({ servers: ['nats://user:50%off@127.0.0.1:4222'] }),
    (error) => isMemphisError(error, 'INVALID_OPTION') && !error.message.includes('50%off'),
  );
});
