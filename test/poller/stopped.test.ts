/** A poller that is told to stop while nobody answers: whoever sent SIGTERM sends SIGKILL some time later. */

import assert from 'node:assert/strict';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from '../../src/index.ts';
import { createPoller } from '../../src/poller/index.ts';
import { startBroker } from '../../src/testing/start-broker.ts';
import { startProxy } from '../support/proxy.ts';
import { fakeLambda } from './fakes.ts';

const mapping = { station: 'orders', group: 'billing', functionName: 'bill' } as const;

test('a poller whose broker cannot be reached any more ends when it is told to, and not when its dial is over', async () => {
  await using broker = await startBroker();
  await using proxy = await startProxy(broker.port);
  const memphis = await connect({ servers: [broker.url] });
  await memphis.createStation('orders', { storageType: 'memory' });
  await memphis.produce('orders', '1');
  const stop = new AbortController();
  const { promise: isSettled, resolve } = Promise.withResolvers<unknown>();
  subscribe('memphis-serverless:settle', resolve);
  const running = createPoller({
    mappings: [mapping],
    connection: { servers: [proxy.url], timeoutMs: 60_000 },
    lambda: fakeLambda(() => null).lambda,
    onError: () => {},
  }).run({ signal: stop.signal });
  await isSettled;
  unsubscribe('memphis-serverless:settle', resolve);
  proxy.swallowNew(true);
  proxy.end();
  while (proxy.accepted() < 2) await sleep(10);
  const startedAt = performance.now();
  stop.abort();
  await running;
  const tookMs = performance.now() - startedAt;
  assert.ok(tookMs < 20_000, `${Math.round(tookMs)} ms`); // a pull has two seconds, settling has none; a dial had a minute
  await memphis.close();
});

test('what the broker does not confirm after the last invocation holds up the end for five seconds', async () => {
  await using broker = await startBroker();
  const memphis = await connect({ servers: [broker.url] });
  await memphis.createStation('orders', { storageType: 'memory' });
  await memphis.produce('orders', '1');
  const stop = new AbortController();
  const errors: unknown[] = [];
  const startedAt = performance.now();
  const report = await createPoller({
    mappings: [mapping],
    connection: { servers: [broker.url] },
    lambda: fakeLambda(() => {
      broker.freeze();
      stop.abort();
      return null;
    }).lambda,
    stopTimeoutMs: 0,
    onError: (error) => errors.push(error),
  }).run({ signal: stop.signal });
  const tookMs = performance.now() - startedAt;
  broker.thaw();
  assert.ok(tookMs < 15_000, `${Math.round(tookMs)} ms`); // by itself, settling gives up after 20 s
  assert.deepEqual(
    errors.map((error) => (error as { readonly code?: string }).code),
    ['SETTLE_UNCONFIRMED'],
  );
  assert.equal(report.mappings[0]?.acked, 0);
  await memphis.close();
});
