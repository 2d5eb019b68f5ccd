/** The broker starter against real nats-server programs: what is promised to be gone must be gone. */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { isMemphisError } from '../../src/model/errors.ts';
import { startBroker } from '../../src/testing/start-broker.ts';
import { isAlive, untilGone } from '../support/is-alive.ts';
import { serversUnderTest } from '../support/servers.ts';

let top: string;
before(() => {
  top = mkdtempSync(join(tmpdir(), 'memphis-serverless-test-'));
});
after(() => rmSync(top, { recursive: true, force: true }));

/** Says CONNECT and some lines, and returns all that the server said until `until` was there or the end. */
async function talk(port: number, lines: readonly string[], until: RegExp, more = ''): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  const options = `{"verbose":false,"headers":true,"no_responders":true${more}}`;
  socket.write([`CONNECT ${options}`, ...lines, ''].join('\r\n'));
  try {
    return await readUntil(socket, until);
  } finally {
    socket.destroy();
  }
}

async function readUntil(socket: Socket, until: RegExp): Promise<string> {
  let heard = '';
  socket.setTimeout(5_000, () => socket.destroy(new Error(`heard only: ${heard}`)));
  for await (const chunk of socket) {
    heard += chunk;
    if (until.test(heard)) break;
  }
  return heard;
}

const request = (subject: string, body: string) => [
  'SUB _INBOX.a 1',
  `PUB ${subject} _INBOX.a ${Buffer.byteLength(body)}`,
  body,
];
const createStream = request('$JS.API.STREAM.CREATE.S', '{"name":"S","subjects":["s"],"storage":"file"}');
const streamInfo = request('$JS.API.STREAM.INFO.S', '');
const replied = /MSG _INBOX\.a 1 .*\r\n.*\r\n/;
const brokerFolders = () => readdirSync(tmpdir()).filter((name) => name.startsWith('memphis-serverless-broker-'));

const servers = serversUnderTest();
for (const { binary, version } of servers) {
  describe(`startBroker with nats-server ${version}`, () => {
    test('starts a broker with JetStream that is ready for clients', async () => {
      await using broker = await startBroker({ binary });
      assert.equal(broker.version, version);
      assert.equal(broker.url, `nats://127.0.0.1:${broker.port}`);
      assert.match(
        await talk(broker.port, createStream, replied),
        /"type":"io.nats.jetstream.api.v1.stream_create_response"/,
      );
    });

    test('keeps port and store when it is killed and restarted', async () => {
      await using broker = await startBroker({ binary });
      await talk(broker.port, createStream, replied);
      const { pid, port } = broker;
      await broker.kill();
      assert.equal(broker.pid, undefined);
      assert.throws(() => broker.freeze(), { code: 'CLOSED' });
      await broker.restart();
      assert.notEqual(broker.pid, pid);
      assert.equal(broker.port, port);
      assert.match(await talk(port, streamInfo, replied), /"name":"S"/);
    });

    test('a broker that ends by itself is told of, with the last words of its log', async () => {
      await using broker = await startBroker({ binary });
      const warned = once(process, 'warning') as Promise<[Error & { code?: string }]>;
      process.kill(broker.pid as number, 'SIGKILL'); // nobody asked the broker to end
      const [warning] = await warned;
      assert.equal(warning.code, 'MEMPHIS_BROKER_ENDED');
      assert.match(
        warning.message,
        new RegExp(`on port ${broker.port} ended by itself, by SIGKILL.*Server is ready`, 's'),
      );
    });

    test('restarts a broker that is running, even frozen', async () => {
      await using broker = await startBroker({ binary });
      await talk(broker.port, createStream, replied);
      broker.freeze();
      await broker.restart();
      assert.match(await talk(broker.port, streamInfo, replied), /"name":"S"/);
    });

    test('answers nothing while it is frozen, and goes on when it is thawed', async () => {
      await using broker = await startBroker({ binary });
      const socket = connect(broker.port, '127.0.0.1');
      await readUntilFirst(socket, /^INFO .*\r\n/);
      broker.freeze();
      socket.write('CONNECT {"verbose":false}\r\nPING\r\n');
      const pong = once(socket, 'data').then(String);
      assert.equal(await Promise.race([pong, sleep(200, 'silence')]), 'silence');
      broker.thaw();
      assert.match(await pong, /PONG/);
      socket.destroy();
    });

    test('ends its process and removes its folder when it stops; stopping twice is fine', async () => {
      const others = brokerFolders();
      const broker = await startBroker({ binary });
      const pid = broker.pid as number;
      const [folder] = brokerFolders().filter((name) => !others.includes(name) && isFolderOf(name, broker.port));
      assert.ok(folder !== undefined);
      await Promise.all([broker.stop(), broker.stop()]);
      assert.equal(isAlive(pid), false);
      assert.equal(existsSync(join(tmpdir(), folder)), false);
      await assert.rejects(broker.restart(), { code: 'CLOSED' });
    });

    test('keeps a store folder and a log file that are yours', async () => {
      const storeDir = join(top, `store-${version}`);
      const logFile = join(top, `log-${version}`);
      const first = await startBroker({ binary, storeDir, logFile });
      await talk(first.port, createStream, replied);
      await first.stop();
      assert.match(readFileSync(logFile, 'utf8'), /Server is ready/);
      await using second = await startBroker({ binary, storeDir, port: first.port });
      assert.match(await talk(second.port, streamInfo, replied), /"name":"S"/);
    });

    test('asks for the token or the user it was given', async () => {
      await using broker = await startBroker({ binary, token: 'it\'s "s3cret"' });
      assert.match(await talk(broker.port, ['PING'], /-ERR.*\r\n|PONG/), /Authorization Violation/);
      const token = ',"auth_token":"it\'s \\"s3cret\\""';
      assert.match(await talk(broker.port, ['PING'], /-ERR.*\r\n|PONG/, token), /PONG/);
      await using other = await startBroker({ binary, username: 'ann', password: 'pw' });
      assert.match(await talk(other.port, ['PING'], /-ERR.*\r\n|PONG/, ',"user":"ann","pass":"pw"'), /PONG/);
    });

    test('hands limits and extra lines to the server', async () => {
      await using broker = await startBroker({
        binary,
        maxPayloadBytes: 2048,
        maxStoreBytes: 1_048_576,
        maxMemoryBytes: 524_288,
        config: 'max_connections: 7',
      });
      assert.match(await talk(broker.port, [], /INFO .*\r\n/), /"max_payload":2048/);
      const account = await talk(
        broker.port,
        request('$JS.API.STREAM.CREATE.S', '{"name":"S","subjects":["s"],"max_bytes":2000000}'),
        replied,
      );
      assert.match(account, /insufficient storage/);
    });

    test('has no JetStream when told so', async () => {
      await using broker = await startBroker({ binary, jetstream: false });
      assert.doesNotMatch(await talk(broker.port, [], /INFO .*\r\n/), /"jetstream":\s?true/);
    });

    test('gives the last words of a server that does not come up, without the secret', async () => {
      const failing = startBroker({ binary, token: 'hush-hush', config: 'hush-hush: 1' });
      await assert.rejects(failing, (error: unknown) => {
        assert.ok(isMemphisError(error, 'PROGRAM_FAILED'));
        assert.match(error.message, /ended with 1.*server\.conf:\d+.*unknown field.*\*\*\*/s);
        assert.doesNotMatch(error.message, /hush-hush/);
        return true;
      });
    });

    test('says so when the port is taken, instead of talking to whoever has it', async () => {
      await using broker = await startBroker({ binary });
      await assert.rejects(startBroker({ binary, port: broker.port }), (error: unknown) => {
        assert.ok(isMemphisError(error, 'PROGRAM_FAILED'));
        assert.match(error.message, new RegExp(`port ${broker.port} is taken`));
        return true;
      });
    });

    test('leaves no broker and no folder behind an owner that is killed, frozen broker included', async () => {
      const owner = spawn(
        process.execPath,
        [...process.execArgv, fileURLToPath(import.meta.resolve('../support/broker-owner.ts'))],
        {
          env: { ...process.env, BINARY: binary, NODE_TEST_CONTEXT: undefined },
          stdio: ['ignore', 'pipe', 'inherit'],
        },
      );
      const [line] = await once(createInterface(owner.stdout), 'line');
      const { pid, port } = JSON.parse(line) as { pid: number; port: number };
      const [folder] = brokerFolders().filter((name) => isFolderOf(name, port));
      assert.ok(folder !== undefined && isAlive(pid));
      owner.kill('SIGKILL');
      await untilGone(() => !isAlive(pid) && !existsSync(join(tmpdir(), folder)));
    });
  });
}

function isFolderOf(name: string, port: number): boolean {
  const config = join(tmpdir(), name, 'server.conf');
  return existsSync(config) && readFileSync(config, 'utf8').includes(`:${port}"`);
}

async function readUntilFirst(socket: Socket, what: RegExp): Promise<void> {
  let heard = '';
  while (!what.test(heard)) heard += String((await once(socket, 'data'))[0]);
}

test('refuses options it does not know and credentials by halves', async () => {
  await assert.rejects(startBroker({ prot: 1 } as object), { code: 'INVALID_OPTION', message: /Did you mean port\?/ });
  await assert.rejects(startBroker({ username: 'ann' }), { code: 'INVALID_OPTION', option: 'password' });
  await assert.rejects(startBroker({ token: 'a', username: 'b', password: 'c' }), { option: 'token' });
});

test('says that a program does not exist', async () => {
  await assert.rejects(startBroker({ binary: '/nowhere/nats-server' }), { code: 'PROGRAM_FAILED', message: /ENOENT/ });
});

test('does not mistake something else on the port for its broker', async () => {
  const other = createServer((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
  other.listen(0, '127.0.0.1');
  await once(other, 'listening');
  const { port } = other.address() as { port: number };
  try {
    await assert.rejects(startBroker({ binary: servers[0]?.binary, port }), {
      code: 'PROGRAM_FAILED',
      message: /is taken/,
    });
  } finally {
    other.close();
  }
});
