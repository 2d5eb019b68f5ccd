/** What answers is no broker that can be used: each call says so by its code, in its time, and shows no credentials. */

import assert from 'node:assert/strict';
import type { AddressInfo, Socket } from 'node:net';
import { createServer } from 'node:net';
import { after, describe, mock, test } from 'node:test';
import { inspect } from 'node:util';
import { type Client, connect, type ErrorCode, isMemphisError } from '../../src/index.ts';
import { produceHandler, withMemphis } from '../../src/lambda/index.ts';
import { pollerHandler } from '../../src/poller/index.ts';
import { makeContext, startBroker } from '../../src/testing/index.ts';
import { eventMakers } from '../support/api-events.ts';
import { serversUnderTest } from '../support/servers.ts';

const secrets = { username: 'somebody', password: 'hunter2hunter2' };
const info = (more: object = {}): string =>
  `INFO ${JSON.stringify({ server_id: 'x', version: '2.9.10', proto: 1, max_payload: 1_048_576, headers: true, jetstream: true, ...more })}\r\n`;
/** How something greets that listens on the port. */
const greetings: readonly (readonly [string, ErrorCode, (socket: Socket) => void])[] = [
  ['says nothing', 'CONNECT_FAILED', () => {}],
  ['hangs up', 'CONNECT_FAILED', (socket) => socket.destroy()],
  ['ends at once', 'CONNECT_FAILED', (socket) => socket.end()],
  ['speaks HTTP', 'CONNECT_FAILED', (socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')],
  ['speaks no text', 'CONNECT_FAILED', (socket) => socket.write(Buffer.from([0, 1, 255, 254, 13, 10]))],
  ['greets with what is no JSON', 'CONNECT_FAILED', (socket) => socket.write('INFO {nonsense}\r\n')],
  ['greets with null', 'CONNECT_FAILED', (socket) => socket.write('INFO null\r\n')],
  ['greets, and then says nothing', 'CONNECT_FAILED', (socket) => socket.write(info())],
  ['greets, and hangs up', 'CONNECT_FAILED', (socket) => socket.end(info())],
  ['refuses', 'AUTHENTICATION_FAILED', (socket) => socket.write(`${info()}-ERR 'Authorization Violation'\r\n`)],
];

const log = mock.method(console, 'error', () => {});
after(() => assert.doesNotMatch(inspect(log.mock.calls.map((call) => call.arguments)), /hunter2/));

describe('something on the port', { concurrency: 6 }, () => {
  for (const [what, code, greet] of greetings) {
    test(`that ${what} is ${code} for client, function and poller`, async () => {
      const sockets = new Set<Socket>();
      const server = createServer((socket) => {
        sockets.add(socket.on('error', () => {}));
        greet(socket);
      });
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      const access = {
        servers: [`nats://127.0.0.1:${(server.address() as AddressInfo).port}`],
        timeoutMs: 700,
        ...secrets,
      };
      const startedAt = performance.now();
      const isExpected = (error: unknown): boolean => {
        assert.ok(isMemphisError(error, code), inspect(error));
        assert.doesNotMatch(inspect(error, { depth: 10 }), /hunter2/);
        return true;
      };
      await Promise.all([
        assert.rejects(connect(access), isExpected),
        assert.rejects(withMemphis(() => {}, { ...access, station: 's', group: 'g' })({}, makeContext()), isExpected),
        produceHandler({ ...access, station: 's' })(
          eventMakers['REST API']?.({ method: 'POST', body: 'x' }),
          makeContext(),
        ).then(({ statusCode, body }) => {
          assert.equal(statusCode, code === 'CONNECT_FAILED' ? 503 : 500);
          assert.doesNotMatch(body, /127|hunter2|somebody/);
        }),
        pollerHandler({
          mappings: [{ station: 's', group: 'g', functionName: 'f' }],
          connection: access,
          lambda: { send: async () => ({}) },
        })({}, makeContext({ timeoutMs: 2_500 })).then(({ mappings }) => {
          assert.ok(mappings[0]?.error?.startsWith(code), mappings[0]?.error);
        }),
      ]);
      assert.ok(performance.now() - startedAt < 10_000);
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    });
  }
});

const calls: Readonly<Record<string, (memphis: Client) => Promise<unknown>>> = {
  createStation: (memphis) => memphis.createStation('s'),
  destroyStation: (memphis) => memphis.destroyStation('s'),
  describeStation: (memphis) => memphis.describeStation('s'),
  listStations: (memphis) => memphis.listStations(),
  createProducer: (memphis) => memphis.createProducer('s'),
  createConsumer: (memphis) => memphis.createConsumer('s', { group: 'g' }),
  produce: (memphis) => memphis.produce('s', 'x'),
  produceBatch: (memphis) => memphis.produceBatch('s', ['x']),
  fetchMessages: (memphis) => memphis.fetchMessages('s', { group: 'g' }),
  'fetchMessages of a stream': (memphis) => memphis.fetchMessages({ stream: 's' }, { group: 'g' }),
  'deadLetters.list': (memphis) => memphis.deadLetters('s').list(),
  'deadLetters.count': (memphis) => memphis.deadLetters('s').count(),
  'deadLetters.drop': (memphis) => memphis.deadLetters('s').drop([1]),
  'deadLetters.redriveAll': (memphis) => memphis.deadLetters('s').redriveAll(),
  'consumer.destroy': async (memphis) => (await memphis.createConsumer({ stream: 's' }, { group: 'g' })).destroy(),
};

for (const { binary, version } of serversUnderTest()) {
  const withoutIt = `accounts {
    A { jetstream: disabled, users: [{ user: a, password: x }] }
    B { jetstream: enabled, users: [{ user: b, password: x }] }
  }`;
  for (const [what, options, credentials] of [
    ['has no JetStream', { jetstream: false }, {}],
    ['has none for this account', { config: withoutIt }, { username: 'a', password: 'x' }],
  ] as const) {
    describe(`nats-server ${version} that ${what}`, () => {
      test('is JETSTREAM_UNAVAILABLE for each call, at once, and not to be tried again', async () => {
        await using broker = await startBroker({ binary, ...options });
        const memphis = await connect({ servers: [broker.url], ...credentials });
        for (const [name, call] of Object.entries(calls)) {
          const startedAt = performance.now();
          await assert.rejects(call(memphis), (error) => {
            assert.ok(isMemphisError(error, 'JETSTREAM_UNAVAILABLE'), `${name}: ${inspect(error)}`);
            assert.equal(error.retryable, false, name);
            return true;
          });
          assert.ok(performance.now() - startedAt < 2_000, `${name}: no patience is wasted`);
        }
        await memphis.close();
      });
    });
  }
}
