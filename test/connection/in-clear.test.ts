/** What a server gets to see before TLS is agreed upon: never credentials. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { info, startFakeServer } from '../support/fake-server.ts';
import { fails } from '../support/works.ts';

const who = { username: 'u', password: 'hush-hush', timeoutMs: 1_000 };

test('a server that asks for TLS is not answered in clear, whatever the scheme says', async () => {
  await using server = await startFakeServer((socket) => socket.write(info({ tls_required: true })));
  await fails({ servers: [server.url], ...who }, 'CONNECT_FAILED');
  assert.equal(server.received()[0], 0x16, 'a ClientHello');
  assert.equal(server.received().includes('CONNECT'), false);
});

test('a server that offers TLS is not answered in clear either', async () => {
  await using server = await startFakeServer((socket) => socket.write(info({ tls_available: true })));
  await fails({ servers: [server.url], ...who }, 'CONNECT_FAILED');
  assert.equal(server.received()[0], 0x16);
  assert.equal(server.received().includes('CONNECT'), false);
});

test('a server without TLS gets no more than a ClientHello where TLS is insisted on', async () => {
  await using server = await startFakeServer((socket) => socket.write(info()));
  await fails({ servers: [server.url], ...who, tls: true }, 'TLS_FAILED');
  await fails({ servers: [server.url.replace('nats:', 'tls:')], ...who }, 'TLS_FAILED');
  assert.equal(server.received()[0], 0x16, 'a ClientHello');
  assert.doesNotMatch(server.received().toString('latin1'), /CONNECT|hush-hush/);
});

test('a server that demands TLS gets nothing where plaintext is meant', async () => {
  await using server = await startFakeServer((socket) => socket.write(info({ tls_required: true })));
  await fails({ servers: [server.url], ...who, tls: false }, 'TLS_FAILED');
  assert.equal(server.received().length, 0);
});

test('a TLS error is the end: nothing is tried in clear afterwards', async () => {
  await using server = await startFakeServer((socket) => {
    socket.write(info({ tls_required: true }));
    socket.once('data', () => socket.end('no TLS here after all'));
  });
  await fails({ servers: [server.url], ...who }, 'TLS_FAILED');
  assert.equal(server.received().includes('hush-hush'), false);
});
