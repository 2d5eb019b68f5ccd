/** A function whose broker falls silent between two invocations fails within its time, instead of being cut off by its timeout. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openPath } from '../../bench/support/path.ts';
import { connect, isMemphisError } from '../../src/index.ts';
import { withMemphis, withProducer } from '../../src/lambda/index.ts';
import { closeConnections } from '../../src/testing/close-connections.ts';
import { makeContext } from '../../src/testing/make-context.ts';
import { startBroker } from '../../src/testing/start-broker.ts';
import { endsWithin } from '../support/ends-within.ts';
import { serversUnderTest } from '../support/servers.ts';

for (const { binary, version } of serversUnderTest()) {
  for (const [batchMaxWaitMs, deadlineReserveMs, timeoutMs] of [
    [0, undefined, 1_500],
    [5_000, undefined, 1_500],
    [500, 300, 1_500],
    [0, undefined, 600],
    [0, undefined, 300],
  ] as const) {
    const kept = deadlineReserveMs === undefined ? '' : `, with ${deadlineReserveMs} ms kept back`;
    test(`nats-server ${version} falls silent right behind an invocation, and the next one of ${timeoutMs} ms waits up to ${batchMaxWaitMs} ms${kept}`, async () => {
      await using broker = await startBroker({ binary });
      const memphis = await connect({ servers: [broker.url] });
      await memphis.createStation('orders', { storageType: 'memory' });
      await memphis.produce('orders', '1');
      const options = { servers: [broker.url], station: 'orders', group: 'g', batchMaxWaitMs, deadlineReserveMs };
      const handler = withMemphis(async () => {}, options);
      await handler({}, makeContext({ timeoutMs: 5_000 }));
      broker.freeze(); // less than a second after it was heard, so it is not asked whether it lives
      const invoked = handler({}, makeContext({ timeoutMs }));
      assert.ok(await endsWithin(invoked, timeoutMs), 'what waited for its own limits took two seconds');
      await assert.rejects(invoked);
      broker.thaw();
      await memphis.close();
    });
  }

  test(`what a function fetches by itself from nats-server ${version} ends in its time, settling included`, async () => {
    await using broker = await startBroker({ binary });
    const memphis = await connect({ servers: [broker.url] });
    await memphis.createStation('orders', { storageType: 'memory' });
    const fetched: number[] = [];
    const handler = withProducer(
      async (isToHang: boolean, context) => {
        const messages = await context.memphis.fetchMessages('orders', { group: 'g' }); // waits for 5 s where nothing is there
        fetched.push(messages.length);
        if (isToHang) broker.freeze();
        for (const message of messages) await message.ack();
      },
      { servers: [broker.url] },
    );
    const waiting = handler(false, makeContext({ timeoutMs: 1_500 }));
    assert.ok(await endsWithin(waiting, 1_500), 'it waited for as long as was asked for');
    await waiting;
    await memphis.produce('orders', '1');
    const settling = handler(true, makeContext({ timeoutMs: 1_500 }));
    assert.ok(await endsWithin(settling, 1_500), 'settling had 20 s');
    await assert.rejects(settling, (error) => isMemphisError(error, 'SETTLE_UNCONFIRMED'));
    assert.deepEqual(fetched, [0, 1]);
    broker.thaw();
    await memphis.close();
  });

  test(`with 600 ms left a function connects to nats-server ${version}, 20 ms away, and takes what is there`, async () => {
    await using broker = await startBroker({ binary });
    const memphis = await connect({ servers: [broker.url] });
    await memphis.createStation('orders', { storageType: 'memory' });
    await memphis.produce('orders', '1');
    await using path = await openPath(broker.port, 10);
    const handler = withMemphis(async () => {}, { servers: [path.url], station: 'orders', group: 'g' });
    let acked = 0;
    // a machine that stands still may fail one of them
    for (let attempt = 0; acked === 0 && attempt < 5; attempt++) {
      await closeConnections();
      const answer = await handler({}, makeContext({ timeoutMs: 600 })).catch(() => undefined);
      acked = (answer as { acked: number } | undefined)?.acked ?? 0;
    }
    assert.equal(acked, 1);
    await memphis.close();
  });
}
