/** Options that name credentials, TLS and servers: what goes together, and what the environment says. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createUser } from '@nats-io/nkeys';
import { sharedSession } from '../../src/client/session.ts';
import { type Access, toAccess } from '../../src/connection/access.ts';
import { toAddresses, toPeer } from '../../src/connection/addresses.ts';
import { makeLink } from '../../src/connection/open.ts';
import { isMemphisError } from '../../src/model/errors.ts';
import { connectOptions } from '../../src/model/options/connect.ts';
import { resolveOptions } from '../../src/model/resolve-options.ts';

const seed = new TextDecoder().decode(createUser().getSeed());
const creds = `-----BEGIN NATS USER JWT-----\neyJ0.eyJ1.c2ln\n------END NATS USER JWT------\n
-----BEGIN USER NKEY SEED-----\n${seed}\n------END USER NKEY SEED------\n`;

const resolve = (options: Record<string, unknown>, env: Record<string, string> = {}) =>
  resolveOptions('connect', connectOptions, options, env);
/** What a dial to the first server is given. */
async function dialled(options: Record<string, unknown>, env?: Record<string, string>) {
  const settings = resolve(options, env);
  const servers = toAddresses(settings);
  const { access, ask } = toAccess(settings, servers);
  return servers.map(access ?? ((await ask?.(1_000)) as Access));
}

const PEM = {
  ca: '-----BEGIN CERTIFICATE-----\nx',
  cert: '-----BEGIN CERTIFICATE-----\ny',
  key: '-----BEGIN PRIVATE KEY-----\nz',
};

for (const [options, option] of [
  [{ creds, nkey: seed }, 'creds'],
  [{ creds, username: 'u' }, 'creds'],
  [{ creds, username: 'u', password: 'p' }, 'creds'],
  [{ creds, connectionToken: 't' }, 'creds'],
  [{ creds: () => creds, connectionToken: () => 't' }, 'creds'],
  [{ creds, servers: ['nats://u:p@a'] }, 'creds'],
  [{ creds, servers: ['b', 'nats://t@a'] }, 'creds'],
  [{ nkey: seed, username: 'u', password: 'p' }, 'nkey'],
  [{ nkey: seed, connectionToken: 't' }, 'nkey'],
  [{ nkey: seed, servers: ['nats://u:p@a'] }, 'nkey'],
  [{ username: 'u', password: 'p', connectionToken: 't' }, 'password'],
  [{ password: 'p' }, 'username'],
  [{ tls: false, servers: ['a', 'tls://b'] }, 'tls'],
  [{ servers: ['a'], host: 'b' }, 'host'],
] as const) {
  test(`${Object.keys(options).join(', ')} together are INVALID_OPTION for ${option}`, () => {
    assert.throws(
      () => makeLink(resolve({ servers: ['a'], ...options })),
      (error) => {
        assert.ok(isMemphisError(error, 'INVALID_OPTION'));
        return error.option === option && !error.message.includes(seed);
      },
    );
  });
}

test('every variable of the environment does what its option does', async () => {
  const servers = ['a:1'];
  const same: [Record<string, unknown>, Record<string, string>][] = [
    [{ creds }, { MEMPHIS_CREDS: creds }],
    [{ creds }, { MEMPHIS_CREDS: creds.replaceAll('\n', '\\n') }],
    [{ nkey: seed }, { MEMPHIS_NKEY: seed }],
    [
      { username: 'u', password: 'p' },
      { MEMPHIS_USERNAME: 'u', MEMPHIS_PASSWORD: 'p' },
    ],
    [{ connectionToken: 't' }, { MEMPHIS_CONNECTION_TOKEN: 't' }],
    [{ tls: true }, { MEMPHIS_TLS: 'true' }],
    [{ tls: false }, { MEMPHIS_TLS: 'false' }],
    [{ tls: { ca: PEM.ca } }, { MEMPHIS_TLS_CA: PEM.ca }],
    [{ tls: PEM }, { MEMPHIS_TLS: '1', MEMPHIS_TLS_CA: PEM.ca, MEMPHIS_TLS_CERT: PEM.cert, MEMPHIS_TLS_KEY: PEM.key }],
    [{ tls: { serverName: 'n' } }, { MEMPHIS_TLS_SERVER_NAME: 'n' }],
    [{ tls: { handshakeFirst: true } }, { MEMPHIS_TLS_HANDSHAKE_FIRST: 'true' }],
    [{}, { MEMPHIS_TLS: '', MEMPHIS_TLS_CA: '', MEMPHIS_CREDS: '' }],
  ];
  for (const [options, env] of same) {
    const fromOptions = await dialled({ servers, ...options });
    const fromEnv = await dialled({}, { MEMPHIS_SERVERS: servers.join(), ...env });
    assert.deepEqual(fromEnv, fromOptions, JSON.stringify(env));
  }
});

test('what the caller says of tls goes before all variables of it', async () => {
  const env = { MEMPHIS_TLS: 'true', MEMPHIS_TLS_CA: PEM.ca };
  assert.deepEqual(await dialled({ servers: ['a:1'], tls: false }, env), [{ server: 'a:1', tls: false }]);
});

for (const [env, option] of [
  [{ MEMPHIS_TLS: 'maybe' }, 'tls'],
  [{ MEMPHIS_TLS: 'false', MEMPHIS_TLS_CA: 'x' }, 'tls'],
  [{ MEMPHIS_TLS_CERT: PEM.cert }, 'tls'],
  [{ MEMPHIS_TLS_HANDSHAKE_FIRST: 'maybe' }, 'handshakeFirst'],
] as const) {
  test(`${JSON.stringify(env)} is INVALID_OPTION and names the variable`, () => {
    assert.throws(
      () => resolve({}, env),
      (error) => {
        assert.ok(isMemphisError(error, 'INVALID_OPTION'), String(error));
        assert.match(error.message, /MEMPHIS_TLS/);
        return error.option === option;
      },
    );
  });
}

test('fields of tls that do not exist, and values that it cannot have, are INVALID_OPTION', () => {
  for (const tls of [
    { caa: 'x' },
    { ca: 7 },
    { handshakeFirst: 'yes' },
    'true',
    1,
    null,
    [],
    { cert: 'x' },
    { key: 'x' },
  ]) {
    assert.throws(() => resolve({ tls }), { code: 'INVALID_OPTION' }, JSON.stringify(tls));
  }
});

test('each server is shown its own credentials; those without any, what stands in the first', async () => {
  const servers = ['nats://u:p@a:1', 'nats://t@b:2', 'c:3'];
  assert.deepEqual(await dialled({ servers }), [
    { server: 'a:1', credentials: { kind: 'password', username: 'u', password: 'p' } },
    { server: 'b:2', credentials: { kind: 'token', token: 't' } },
    { server: 'c:3', credentials: { kind: 'password', username: 'u', password: 'p' } },
  ]);
});

test('tls:// insists on TLS for that server alone, and default ports follow the scheme', async () => {
  assert.deepEqual(await dialled({ servers: ['tls://a', 'nats://b', 'memphis://c', 'd', 'tls://[::1]:5'] }), [
    { server: 'a:4222', tls: {} },
    { server: 'b:4222' },
    { server: 'c:6666' },
    { server: 'd:6666' },
    { server: '[::1]:5', tls: {} },
  ]);
});

test('an address that a cluster tells must show the name of the server that told it, and gets its credentials', () => {
  const [named] = toAddresses(resolve({ servers: ['tls://u:p@broker.example:4222'] }));
  const [numbered] = toAddresses(resolve({ servers: ['10.0.0.1:4222'] }));
  assert.ok(named && numbered);
  const userInfo = { username: 'u', password: 'p' };
  const peer = toPeer('10.0.0.2:4222', named);
  assert.deepEqual(peer, { server: '10.0.0.2:4222', certifiedName: 'broker.example', insistsOnTls: true, userInfo });
  assert.equal(toPeer('10.0.0.3:4222', peer).certifiedName, 'broker.example');
  assert.equal(toPeer('other.example:4222', named).certifiedName, undefined);
  assert.equal(toPeer('10.0.0.2:4222', numbered).certifiedName, undefined);
});

test('functions share a session only where credentials and TLS are the same', async () => {
  const password = (): string => 'p';
  const configurations = [
    {},
    { creds },
    { nkey: seed },
    { username: 'u', password: 'p' },
    { username: 'u', password },
    { username: 'u', password: () => 'p' },
    { connectionToken: 't' },
    { tls: true },
    { tls: false },
    { tls: { ca: PEM.ca } },
    { tls: PEM },
    { tls: { ca: PEM.ca, handshakeFirst: true } },
    { tls: { ca: PEM.ca, serverName: 'n' } },
  ].map((options) => resolve({ servers: ['a:1'], ...options }));
  const sessions = configurations.map(sharedSession);
  assert.equal(new Set(sessions).size, configurations.length);
  assert.deepEqual(configurations.map(sharedSession), sessions);
  await Promise.all(sessions.map((session) => session.close()));
});
