/** How middlewares reach a real broker: secrets of other middlewares, and how long a connection is kept. */

import assert from 'node:assert/strict';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { type Client, connect } from '../../src/index.ts';
import type { ProducerContext } from '../../src/lambda/producer-tools.ts';
import { memphisConsumer, memphisProducer } from '../../src/middy/index.ts';
import type { Message } from '../../src/model/message.ts';
import { ensureNatsServer, makeContext, type RunningBroker, startBroker } from '../../src/testing/index.ts';
import { middies } from '../support/middies.ts';

const TOKEN = 'secret-token';

describe('connections of middlewares', () => {
  let broker: RunningBroker;
  let memphis: Client;
  let dials = 0;
  const onDial = (): void => void dials++;
  const servers = (): readonly string[] => [broker.url];
  before(async () => {
    broker = await startBroker({ binary: await ensureNatsServer(), token: TOKEN });
    memphis = await connect({ servers: servers(), connectionToken: TOKEN });
    for (const station of ['orders', 'audit']) await memphis.createStation(station, { storageType: 'memory' });
  });
  after(async () => {
    await memphis.close();
    await broker.stop();
  });
  beforeEach(() => {
    dials = 0;
    subscribe('memphis-serverless:dial', onDial);
  });
  afterEach(() => unsubscribe('memphis-serverless:dial', onDial));
  const sockets = (): number => process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length;

  for (const [version, middy] of middies) {
    const given = (more: object = {}) => ({ servers: servers(), connectionToken: TOKEN, ...more });
    const produce = (options: object) =>
      middy<unknown, ProducerContext>((_, context) => context.produce('x')).use(
        memphisProducer({ station: 'audit', ...options }),
      );
    const consume = (options: object) =>
      middy((messages: readonly Message[]) => void messages.length).use(
        memphisConsumer({ station: 'orders', group: `g${version}`, ...options }),
      );

    test(`Middy ${version}: one connection serves all middlewares and invocations of a configuration`, async () => {
      const config = given({ timeoutMs: 9_000 + Number(version) });
      assert.partialDeepStrictEqual(await consume(config)({}, makeContext()), { station: 'orders' });
      for (let i = 0; i < 2; i++) await produce(config)({}, makeContext());
      assert.equal(dials, 1);
    });

    test(`Middy ${version}: another cacheKey is another connection`, async () => {
      const config = given({ timeoutMs: 9_100 + Number(version) });
      for (const cacheKey of ['one', 'two', 'one']) await produce({ ...config, cacheKey })({}, makeContext());
      assert.equal(dials, 2);
    });

    test(`Middy ${version}: with cacheExpiry 0 the connection is closed when the invocation ends, however it does`, async () => {
      const config = given({ cacheExpiry: 0 });
      const open = sockets();
      const closed = async (): Promise<void> => {
        // a handle is gone a moment after its socket
        for (let i = 0; i < 100 && sockets() > open; i++) await new Promise((resolve) => setTimeout(resolve, 10));
        assert.equal(sockets(), open);
      };
      const producing = produce(config);
      await producing({}, makeContext());
      await closed();
      await producing({}, makeContext());
      await consume(config)({}, makeContext());
      const first = { before: ({ context }: { context: unknown }) => void (context as ProducerContext).produce('y') };
      const failing = produce(config)
        .use(first)
        .use({ before: () => assert.fail('boom') });
      await assert.rejects(failing({}, makeContext()), /boom/);
      await produce(config)
        .use(first)
        .use({ before: () => 'early' })({}, makeContext());
      await closed();
      assert.equal(dials, 5);
    });

    test(`Middy ${version}: with cacheExpiry 0 invocations at the same time do not close each other's`, async () => {
      const config = given({ cacheExpiry: 0 });
      const producing = middy<number, ProducerContext>(async (ms, context) => {
        await new Promise((resolve) => setTimeout(resolve, ms));
        await context.produce('x');
      }).use(memphisProducer({ station: 'audit', ...config }));
      await Promise.all([0, 20, 60].map((ms) => producing(ms, makeContext())));
      assert.equal(dials, 1);
    });

    test(`Middy ${version}: up to a day, cacheExpiry is an age; cacheKeyExpiry goes before it`, async () => {
      const aging = produce(given({ cacheExpiry: 40 }));
      await aging({}, makeContext());
      await new Promise((resolve) => setTimeout(resolve, 60));
      await aging({}, makeContext());
      assert.equal(dials, 2);
      const keyed = produce(
        given({ cacheKey: `k${version}`, cacheExpiry: 0, cacheKeyExpiry: { [`k${version}`]: -1 } }),
      );
      for (let i = 0; i < 2; i++) await keyed({}, makeContext());
      assert.equal(dials, 3);
    });

    for (const [how, internalKey, internal] of [
      ['a text', 'token', TOKEN],
      ['a promise', 'token', Promise.resolve(TOKEN)],
      ['a field of what a promise resolves to', 'broker.token', Promise.resolve({ token: TOKEN })],
    ] as const) {
      test(`Middy ${version}: internalKey takes the token from another middleware: ${how}`, async () => {
        const secrets = {
          before: (request: { internal: Record<PropertyKey, unknown> }) => {
            request.internal[internalKey.split('.')[0] ?? ''] = internal;
          },
        };
        const handler = middy<unknown, ProducerContext>((_, context) => context.produce('x'));
        const options = { station: 'audit', servers: servers(), internalKey };
        assert.ok(await handler.use(secrets).use(memphisProducer(options))({}, makeContext()));
        const summary = await middy(() => {})
          .use(secrets)
          .use(memphisConsumer({ station: 'orders', group: 'keys', servers: servers(), internalKey }))(
          {},
          makeContext(),
        );
        assert.partialDeepStrictEqual(summary, { station: 'orders' });
      });
    }

    test(`Middy ${version}: internalKey without a secret, or beside one, is refused`, async () => {
      const base = { station: 'audit', servers: servers(), internalKey: 'token' };
      const run = (options: object) => middy(() => {}).use(memphisProducer({ ...base, ...options }))({}, makeContext());
      await assert.rejects(run({}), { code: 'INVALID_OPTION', message: /request.internal has no text under token/ });
      await assert.rejects(run({ password: 'x', username: 'u' }), { code: 'INVALID_OPTION', message: /not both/ });
      await assert.rejects(run({ disablePrefetch: false }), { code: 'INVALID_OPTION', message: /before the first/ });
    });

    test(`Middy ${version}: with disablePrefetch false it dials while the module loads, and never rejects there`, async () => {
      const config = given({ timeoutMs: 9_200 + Number(version), disablePrefetch: false });
      consume(config);
      for (let i = 0; i < 200 && dials === 0; i++) await new Promise((resolve) => setTimeout(resolve, 10));
      assert.equal(dials, 1);
      await consume(config)({}, makeContext());
      await produce(config)({}, makeContext());
      assert.equal(dials, 1);
      consume({ servers: ['nats://127.0.0.1:1'], disablePrefetch: false });
      await new Promise((resolve) => setTimeout(resolve, 50));
    });
  }
});
