/** Accounts that must close on a real broker: random outcomes and crashes, and a broker that is killed meanwhile. */

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import fc from 'fast-check';
import { type Client, connect, isMemphisError, type Message } from '../../src/index.ts';
import { withMemphis } from '../../src/lambda/index.ts';
import type { PullSummary } from '../../src/lambda/pull-invocation.ts';
import { DeadLetter, RetryLater } from '../../src/model/outcome.ts';
import { type RunningBroker, startBroker } from '../../src/testing/start-broker.ts';
import { readDeadLetters } from '../support/dead-letters.ts';
import { serversUnderTest } from '../support/servers.ts';

const MAX_DELIVERIES = 3;
const ACK_WAIT_MS = 250;
/** So long against the time to settle that the message is parked. */
const PARKED_MS = ACK_WAIT_MS * 4 + 50;

/** What becomes of one delivery of one message. `crash` loses the whole batch that it is in. */
type Fate = 'ack' | 'throw' | 'later' | 'park' | 'deadLetter' | 'crash' | 'settleThenThrow';
const fate = fc.constantFrom<Fate>(
  'ack',
  'ack',
  'ack',
  'throw',
  'later',
  'park',
  'deadLetter',
  'crash',
  'settleThenThrow',
);

for (const { binary, version } of serversUnderTest()) {
  describe(`accounts on nats-server ${version}`, () => {
    let broker: RunningBroker;
    let memphis: Client;
    let runs = 0;
    before(async () => {
      broker = await startBroker({ binary });
      memphis = await connect({ servers: [broker.url] });
    });
    after(async () => {
      await memphis.close();
      await broker.stop();
    });

    test('whatever handlers do and wherever readers crash, every message ends acked or dead-lettered, and sums agree', async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.array(fate, { minLength: MAX_DELIVERIES, maxLength: MAX_DELIVERIES }), {
            minLength: 1,
            maxLength: 8,
          }),
          fc.integer({ min: 1, max: 4 }),
          fc.integer({ min: 1, max: 3 }),
          async (plans, batchSize, partitionsNumber) => {
            const station = `accounts.${++runs}`;
            await memphis.createStation(station, { storageType: 'memory', partitionsNumber });
            for (const index of plans.keys()) await memphis.produce(station, String(index));
            await work(memphis, broker, station, plans, batchSize);
            await memphis.station(station).destroy();
          },
        ),
        { numRuns: 12, endOnFailure: true },
      );
    });
  });
}

async function work(
  memphis: Client,
  broker: RunningBroker,
  station: string,
  plans: Fate[][],
  batchSize: number,
): Promise<void> {
  const acked = new Set<string>();
  const timesSeen = new Map<string, number>();
  const fateOf = (message: Message): Fate => plans[Number(message.text())]?.[message.deliveryCount - 1] ?? 'ack';
  const connection = {
    servers: [broker.url],
    station,
    group: 'g',
    batchSize,
    maxAckTimeMs: ACK_WAIT_MS,
    maxMsgDeliveries: MAX_DELIVERIES,
  };
  const see = (message: Message): void => {
    timesSeen.set(message.text(), (timesSeen.get(message.text()) ?? 0) + 1);
  };
  const handler = withMemphis(
    async (messages: readonly Message[]) => {
      const batchItemFailures: { itemIdentifier: string; action?: string; delayMs?: number }[] = [];
      for (const message of messages) {
        see(message);
        const what = fateOf(message);
        if (what === 'throw' || what === 'crash') batchItemFailures.push({ itemIdentifier: message.id });
        if (what === 'later') await message.delay(20);
        if (what === 'park') await message.delay(PARKED_MS);
        if (what === 'deadLetter') batchItemFailures.push({ itemIdentifier: message.id, action: 'deadLetter' });
        if (what === 'settleThenThrow') await message.ack();
        if (what === 'ack' || what === 'settleThenThrow') acked.add(message.text());
      }
      if (messages.some((message) => fateOf(message) === 'settleThenThrow') && messages.length === 1)
        throw new Error('after all');
      return { batchItemFailures };
    },
    { ...connection, failWhenAllFail: false, backoffBaseMs: 10, backoffMaxMs: 20, batchMaxWaitMs: 50 },
  );

  const isSettled = (text: string, dead: ReadonlySet<string>): boolean => acked.has(text) || dead.has(text);
  const deadline = Date.now() + 20_000;
  for (;;) {
    const dead = new Set((await readDeadLetters(broker.port, station)).map(({ text }) => text));
    if (plans.every((_, index) => isSettled(String(index), dead))) break;
    assert.ok(
      Date.now() < deadline,
      `not settled: ${plans.map((_, i) => String(i)).filter((text) => !isSettled(text, dead))}`,
    );
    // a reader that dies with a batch in hand: nobody ever hears of it again
    const lost = await memphis.fetchMessages(station, {
      group: 'g',
      batchSize: 1,
      maxAckTimeMs: ACK_WAIT_MS,
      maxMsgDeliveries: MAX_DELIVERIES,
      batchMaxWaitMs: 0,
    });
    for (const message of lost) {
      see(message);
      if (fateOf(message) !== 'crash') {
        await message.ack();
        acked.add(message.text());
      }
    }
    const { received, ...counts } = (await handler({}, {} as never)) as PullSummary;
    assert.equal(counts.acked + counts.retried + counts.deadLettered + counts.givenBack, received);
  }
  for (const [text, times] of timesSeen) assert.ok(times <= MAX_DELIVERIES, `${text} was seen ${times} times`);
}

test('exact errors go through a real broker as they say', async () => {
  await using broker = await startBroker();
  const memphis = await connect({ servers: [broker.url] });
  await memphis.createStation('exact', { storageType: 'memory' });
  await memphis.produce('exact', 'later');
  const options = { servers: [broker.url], station: 'exact', group: 'g', failWhenAllFail: false };
  const laterAt = performance.now();
  const later = withMemphis(async () => {
    throw new RetryLater({ delayMs: 300 });
  }, options);
  assert.equal(((await later({}, {} as never)) as PullSummary).retried, 1);
  const dead = withMemphis(
    async () => {
      throw new DeadLetter({ reason: 'no such customer' });
    },
    { ...options, batchMaxWaitMs: 3_000 },
  );
  assert.equal(((await dead({}, {} as never)) as PullSummary).deadLettered, 1);
  assert.ok(performance.now() - laterAt >= 290);
  assert.equal((await readDeadLetters(broker.port, 'exact'))[0]?.headers.$memphis_dls_reason, 'no such customer');
  await memphis.close();
});

for (const { binary, version } of serversUnderTest()) {
  test(`nats-server ${version} killed three times: every message is stored once, and every one is handled`, async () => {
    await using broker = await startBroker({ binary });
    const memphis = await connect({ servers: [broker.url] });
    await memphis.createStation('orders', { partitionsNumber: 2, storageType: 'file' });
    const total = 300;
    const handled = new Set<string>();
    let isProducing = true;

    const kills = (async () => {
      for (let i = 0; i < 3; i++) {
        await new Promise((resolve) => setTimeout(resolve, 250));
        await broker.kill();
        await broker.restart();
      }
    })();
    const producing = (async () => {
      let next = 0;
      const lanes = Array.from({ length: 10 }, async () => {
        while (next < total) {
          const id = String(next++);
          await memphis.produce('orders', id); // no id of the caller's: our repeats must not store it twice
          await new Promise((resolve) => setTimeout(resolve, 20));
        }
      });
      await Promise.all(lanes);
      isProducing = false;
    })();
    const handler = withMemphis(
      async (messages: readonly Message[]) => {
        for (const message of messages) handled.add(message.text());
      },
      { servers: [broker.url], station: 'orders', group: 'g', batchSize: 20, batchMaxWaitMs: 200, maxAckTimeMs: 2_000 },
    );
    const consuming = (async () => {
      const deadline = Date.now() + 60_000;
      while ((isProducing || handled.size < total) && Date.now() < deadline) {
        await handler({}, {} as never).catch((error: unknown) => {
          // a server that was killed may have forgotten a delivery and never answers its ack: the message comes again
          if (!isMemphisError(error) || !error.retryable) throw error;
        });
      }
    })();
    await Promise.all([kills, producing, consuming]);
    assert.equal(handled.size, total);

    const fresh = await memphis.fetchMessages('orders', { group: 'audit', batchSize: 1_000, batchMaxWaitMs: 0 });
    assert.equal(fresh.length, total, 'stored once each');
    assert.equal(new Set(fresh.map((message) => message.text())).size, total);
    await memphis.close();
  });
}
