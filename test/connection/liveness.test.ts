/** Sessions that did not survive a pause: how they are found out, what that costs, and how often is dialled. */

import assert from 'node:assert/strict';
import diagnostics from 'node:diagnostics_channel';
import { after, before, beforeEach, type TestContext, test } from 'node:test';
import type { Link } from '../../src/connection/link.ts';
import { makeLink } from '../../src/connection/open.ts';
import { connect } from '../../src/index.ts';
import { connectOptions } from '../../src/model/options/connect.ts';
import { resolveOptions } from '../../src/model/resolve-options.ts';
import { type RunningBroker, startBroker } from '../../src/testing/start-broker.ts';
import { startProxy, type TestProxy } from '../support/proxy.ts';

let broker: RunningBroker;
let proxy: TestProxy;
before(async () => {
  broker = await startBroker();
  proxy = await startProxy(broker.port);
});
after(async () => {
  await proxy[Symbol.asyncDispose]();
  await broker.stop();
});

let seen: string[] = [];
beforeEach(() => {
  seen = [];
});
for (const name of ['dial', 'thaw', 'replace']) {
  diagnostics.subscribe(`memphis-serverless:${name}`, (event) => {
    const { verdict } = event as { verdict?: string };
    seen.push(verdict === undefined ? name : `${name}: ${verdict}`);
  });
}

const soon = (): number => Date.now() + 5_000;
const linkTo = (options: Record<string, unknown>): Link =>
  makeLink(resolveOptions('connect', connectOptions, { servers: [proxy.url], ...options }));

test('closing a link closes a session that was replaced and is still heard out', async (t) => {
  const link = linkTo({});
  const first = await link.ready(soon());
  first.subscribe('somewhere', { onFrame: () => {} });
  await first.flush(1_000);
  const realNow = Date.now;
  t.mock.method(Date, 'now', () => realNow() + 60_000);
  proxy.swallow();
  const second = await link.ready(soon());
  assert.notEqual(second, first);
  await link.close();
  assert.deepEqual([first.isClosed, second.isClosed], [true, true]);
});

/** Opens a link, lets the wall clock go on as in a freeze, does something to the flow, and uses the link again. */
async function afterPause(
  t: TestContext,
  pauseMs: number,
  trouble: () => void,
  options: Record<string, unknown> = {},
): Promise<{ readonly tookMs: number; readonly dials: number; readonly isSame: boolean }> {
  const link = linkTo(options);
  const first = await link.ready(soon());
  await first.flush(1_000);
  const before = proxy.accepted();
  const realNow = Date.now;
  t.mock.method(Date, 'now', () => realNow() + pauseMs);
  seen = [];
  trouble();
  const startedAt = performance.now();
  const second = await link.ready(soon());
  const tookMs = performance.now() - startedAt;
  await second.flush(1_000);
  await link.close();
  return { tookMs, dials: proxy.accepted() - before, isSame: second === first };
}

test('a session that survived a pause costs a ping and no dial', async (t) => {
  const { dials, isSame } = await afterPause(t, 60_000, () => {});
  assert.deepEqual({ dials, isSame }, { dials: 0, isSame: true });
  assert.deepEqual(seen, ['thaw: alive']);
});

test('a flow that was dropped without a word is replaced by one dial, well before the ping has had its time', async (t) => {
  const runs: number[] = [];
  for (let i = 0; i < 5; i++) {
    const { tookMs, dials, isSame } = await afterPause(t, 60_000, () => proxy.swallow());
    t.mock.restoreAll();
    assert.deepEqual({ dials, isSame }, { dials: 1, isSame: false });
    assert.deepEqual(seen.sort(), ['dial', 'replace', 'thaw: replaced']);
    runs.push(tookMs);
  }
  const median = runs.sort((a, b) => a - b)[2] ?? 0;
  assert.ok(median < 250, `took ${runs.map(Math.round)} ms`);
});

test('a session that was ended or reset meanwhile is replaced by one dial, at once', async (t) => {
  for (const trouble of ['end', 'reset'] as const) {
    const { tookMs, dials, isSame } = await afterPause(t, 60_000, () => proxy[trouble]());
    t.mock.restoreAll();
    assert.deepEqual({ dials, isSame }, { dials: 1, isSame: false });
    assert.deepEqual(seen.sort(), ['dial', 'replace', 'thaw: replaced']);
    assert.ok(tookMs < 250, `${trouble} took ${Math.round(tookMs)} ms`);
  }
});

test('a session that survived hours is asked as well', async (t) => {
  const { dials, isSame } = await afterPause(t, 4 * 3_600_000, () => {});
  assert.deepEqual({ dials, isSame }, { dials: 0, isSame: true });
  assert.deepEqual(seen, ['thaw: alive']);
});

test('many uses after a pause share one ping and one dial', async (t) => {
  const link = linkTo({});
  await link.ready(soon(), { isAccepted: true });
  const before = proxy.accepted();
  const realNow = Date.now;
  t.mock.method(Date, 'now', () => realNow() + 60_000);
  seen = [];
  proxy.swallow();
  const connections = await Promise.all(Array.from({ length: 20 }, () => link.ready(soon())));
  assert.equal(new Set(connections).size, 1);
  assert.equal(proxy.accepted() - before, 1);
  await connections[0]?.flush(1_000);
  assert.deepEqual(seen.sort(), ['dial', 'replace', 'thaw: replaced']);
  await link.close();
});

test('who has little time does not wait for a check that somebody with more time has begun', async (t) => {
  const link = linkTo({});
  await link.ready(soon(), { isAccepted: true });
  const realNow = Date.now;
  t.mock.method(Date, 'now', () => realNow() + 60_000);
  proxy.swallow();
  proxy.swallowNew(true);
  try {
    const ends: string[] = [];
    const patient = link.ready(Date.now() + 2_000).catch(() => ends.push('patient'));
    await assert.rejects(link.ready(Date.now() + 100), { code: 'CONNECT_FAILED' });
    assert.deepEqual(ends, []);
    await patient;
  } finally {
    proxy.swallowNew(false);
    await link.close();
  }
});

test('an answer that is late but comes before the new session keeps the old one, and the dial is given up', async (t) => {
  const link = linkTo({});
  const first = await link.ready(soon(), { isAccepted: true });
  const realNow = Date.now;
  t.mock.method(Date, 'now', () => realNow() + 60_000);
  proxy.swallowNew(true);
  broker.freeze();
  setTimeout(() => broker.thaw(), 170);
  try {
    const second = await link.ready(soon());
    assert.equal(second, first);
    await second.flush(1_000);
    for (const deadline = performance.now() + 2_000; proxy.open() > 1 && performance.now() < deadline; ) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    assert.equal(proxy.open(), 1, 'what was dialled beside it is hung up');
  } finally {
    proxy.swallowNew(false);
    broker.thaw();
    await link.close();
  }
});

test('a session that answers while a secret is asked for is not hung up with the dial that is given up', async (t) => {
  const secret = Promise.withResolvers<string>();
  const isAsked = Promise.withResolvers<void>();
  let asked = 0;
  const connectionToken = (): string | Promise<string> => {
    if (asked++ === 0) return 'token';
    isAsked.resolve();
    return secret.promise;
  };
  const link = linkTo({ connectionToken });
  const first = await link.ready(soon(), { isAccepted: true });
  const before = proxy.accepted();
  const realNow = Date.now;
  t.mock.method(Date, 'now', () => realNow() + 60_000);
  broker.freeze();
  void isAsked.promise.then(() => broker.thaw());
  try {
    const second = await link.ready(soon());
    assert.deepEqual([second === first, second.isClosed, asked], [true, false, 2]);
    await second.flush(1_000);
    secret.resolve('token');
    await new Promise((resolve) => setTimeout(resolve, 50));
    assert.deepEqual([first.isClosed, proxy.accepted() - before], [false, 0]);
  } finally {
    secret.resolve('token');
    broker.thaw();
    await link.close();
  }
});

test('with reconnect off, a session that did not survive a pause is not dialled again', async (t) => {
  await assert.rejects(
    afterPause(t, 60_000, () => proxy.swallow(), { reconnect: false }),
    { code: 'CONNECTION_LOST', retryable: false },
  );
});

test('a publish does not wait for the answer of a silent session: on one that is dead it is repeated, and stored once', async (t) => {
  const memphis = await connect({ servers: [proxy.url] });
  const station = `repeated${Math.random().toString(36).slice(2)}`;
  await memphis.createStation(station, { storageType: 'memory' });
  await memphis.produce(station, 'first');
  const realNow = Date.now;
  for (const trouble of ['swallow', 'end', 'reset'] as const) {
    proxy[trouble]();
    t.mock.method(Date, 'now', () => realNow() + 60_000);
    const startedAt = performance.now();
    await memphis.produce(station, trouble);
    assert.ok(performance.now() - startedAt < 1_000, `${trouble}: ${Math.round(performance.now() - startedAt)} ms`);
    t.mock.restoreAll();
  }
  const messages = await memphis.fetchMessages(station, { group: 'g', batchSize: 10 });
  assert.deepEqual(
    messages.map((message) => message.text()),
    ['first', 'swallow', 'end', 'reset'],
  );
  await memphis.close();
});

test('on a healthy session a publish leaves beside the ping, not behind its answer', async (t) => {
  const link = linkTo({});
  await link.ready(soon(), { isAccepted: true });
  const realNow = Date.now;
  t.mock.method(Date, 'now', () => realNow() + 60_000);
  seen = [];
  await link.ready(soon(), { mayRepeat: true });
  assert.deepEqual(seen, [], 'nothing is known yet');
  await link.ready(soon());
  assert.deepEqual(seen, ['thaw: alive']);
  await link.close();
});

test('closing does not wait for a function that is asked for a secret; who waits for a session hears of it at once', async (t) => {
  for (const pauseMs of [0, 60_000]) {
    const isAsked = Promise.withResolvers<void>();
    let asked = 0;
    const connectionToken = (): string | Promise<string> => {
      if (asked++ === 0) return 'token';
      isAsked.resolve();
      return new Promise(() => {}); // never answers
    };
    const link = linkTo({ connectionToken, timeoutMs: 60_000 });
    const first = await link.ready(soon(), { isAccepted: true });
    proxy.end();
    await first.closed;
    const realNow = Date.now;
    t.mock.method(Date, 'now', () => realNow() + pauseMs);
    const waiting = assert.rejects(link.ready(Date.now() + 60_000), { code: 'CLOSED' });
    await isAsked.promise;
    const startedAt = performance.now();
    await link.close();
    await waiting;
    assert.ok(performance.now() - startedAt < 10_000, 'the secret has a minute');
    t.mock.restoreAll();
  }
});
