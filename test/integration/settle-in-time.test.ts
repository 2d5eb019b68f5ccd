/** A function whose broker hangs when it settles says so, instead of being cut off by its timeout. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connect, isMemphisError } from '../../src/index.ts';
import { DeadLetter, withMemphis } from '../../src/lambda/index.ts';
import { makeContext } from '../../src/testing/make-context.ts';
import { startBroker } from '../../src/testing/start-broker.ts';
import { endsWithin } from '../support/ends-within.ts';
import { startProxy } from '../support/proxy.ts';
import { serversUnderTest } from '../support/servers.ts';

/** Lambda's own timeout is 3 s; with the longer one there is a second try. */
const cases = [
  ['ack', 4_000],
  ['ack', 3_000],
  ['dead letter', 4_000],
  ['dead letter', 3_000],
  ['dead letter for a linked station', 4_000],
  ['long delay', 4_000],
] as const;

for (const { binary, version } of serversUnderTest()) {
  for (const [outcome, timeoutMs] of cases) {
    test(`nats-server ${version} hangs before an ${outcome} is confirmed: SETTLE_UNCONFIRMED within ${timeoutMs} ms`, async () => {
      await using broker = await startBroker({ binary });
      const memphis = await connect({ servers: [broker.url] });
      const dlsStation = outcome === 'dead letter for a linked station' ? 'dead' : '';
      await memphis.createStation('orders', { storageType: 'memory', dlsStation });
      await memphis.produce('orders', '1');
      const handler = withMemphis(
        async ([message]) => {
          broker.freeze();
          if (outcome.startsWith('dead letter')) throw new DeadLetter({ reason: 'bad' });
          if (outcome === 'long delay') void message?.delay(3_600_000);
        },
        { servers: [broker.url], station: 'orders', group: 'g' },
      );
      const invoked = handler({}, makeContext({ timeoutMs }));
      assert.ok(await endsWithin(invoked, timeoutMs), 'the function returned before Lambda would have ended it');
      await assert.rejects(invoked, (error) => isMemphisError(error, 'SETTLE_UNCONFIRMED'));
      broker.thaw();
      await memphis.close();
    });
  }

  test(`nats-server ${version} is slow as a dead letter is stored in several steps: SETTLE_UNCONFIRMED in time`, async () => {
    await using broker = await startBroker({ binary });
    await using proxy = await startProxy(broker.port);
    const memphis = await connect({ servers: [broker.url] });
    await memphis.createStation('orders', { storageType: 'memory', dlsStation: 'dead' });
    await memphis.createStation('dead', { storageType: 'memory' });
    await memphis.produce('orders', '1');
    const handler = withMemphis(
      async () => {
        proxy.slowDown(1_700); // for each step there would be time
        throw new DeadLetter({ reason: 'bad' });
      },
      { servers: [proxy.url], station: 'orders', group: 'g' },
    );
    const startedAt = performance.now();
    await assert.rejects(handler({}, makeContext({ timeoutMs: 4_000 })), (error) =>
      isMemphisError(error, 'SETTLE_UNCONFIRMED'),
    );
    const tookMs = performance.now() - startedAt;
    assert.ok(tookMs < 4_700, `${Math.round(tookMs)} ms`);
    await memphis.close();
  });
}
