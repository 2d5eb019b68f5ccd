/** A broker that has gone silent: what is asked of it ends within the time that it was given, look-ups included. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { connect, isMemphisError } from '../../src/index.ts';
import { withMemphis } from '../../src/lambda/index.ts';
import { makeContext, startBroker } from '../../src/testing/index.ts';
import { serversUnderTest } from '../support/servers.ts';

const codes = ['TIMEOUT', 'CONNECT_FAILED', 'CONNECTION_LOST'] as const;

/** Ends with an error that time may heal, within so long. */
async function endsWithin(ms: number, call: () => Promise<unknown>): Promise<void> {
  const startedAt = performance.now();
  await assert.rejects(call(), (error) => {
    assert.ok(
      codes.some((code) => isMemphisError(error, code)),
      String(error),
    );
    return true;
  });
  const tookMs = performance.now() - startedAt;
  assert.ok(tookMs < ms, `took ${Math.round(tookMs)} ms`);
}

for (const { binary, version } of serversUnderTest()) {
  describe(`nats-server ${version} that has gone silent`, { concurrency: true }, () => {
    test('a produce ends within its ackWaitMs, to a station that is known or not', async () => {
      await using broker = await startBroker({ binary });
      const memphis = await connect({ servers: [broker.url] });
      for (const name of ['known', 'unknown']) await memphis.createStation(name, { storageType: 'memory' });
      await memphis.produce('known', 'x');
      broker.freeze();
      await Promise.all(
        ['known', 'unknown'].map((name) => endsWithin(4_000, () => memphis.produce(name, 'x', { ackWaitMs: 1_000 }))),
      );
      broker.thaw();
      await memphis.close();
    });

    for (const name of ['known', 'unknown']) {
      test(`a produce to a station that is ${name} does not say "nothing was sent" when dialling anew fails`, {
        timeout: 10_000,
      }, async () => {
        await using broker = await startBroker({ binary });
        const admin = await connect({ servers: [broker.url] });
        const station = await admin.createStation(name, { storageType: 'memory' });
        const memphis = await connect({ servers: [broker.url] });
        if (name === 'known') await memphis.produce(name, 'x');
        const { messages } = await station.describe();
        broker.freeze();
        const produced = memphis.produce(name, 'x', { ackWaitMs: 3_500 });
        await assert.rejects(
          produced,
          (error) => isMemphisError(error, 'TIMEOUT') && /Could not connect/.test(error.message),
        );
        broker.thaw();
        while ((await station.describe()).messages === messages) await setTimeout(10); // it was sent
        await Promise.all([memphis.close(), admin.close()]);
      });
    }

    for (const station of ['known', 'unknown']) {
      test(`a function whose station is ${station} ends before its time is up`, async () => {
        await using broker = await startBroker({ binary });
        const memphis = await connect({ servers: [broker.url] });
        for (const name of ['known', 'unknown']) await memphis.createStation(name, { storageType: 'memory' });
        const options = { servers: [broker.url], group: 'g' };
        await withMemphis(() => {}, { ...options, station: 'known' })({}, makeContext());
        broker.freeze();
        const handler = withMemphis(() => {}, { ...options, station });
        await endsWithin(3_900, () => handler({}, makeContext({ timeoutMs: 4_000 })));
        broker.thaw();
        await memphis.close();
      });
    }
  });
}
