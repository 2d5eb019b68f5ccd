/** Message ids hold whatever the other headers say: servers differ in how they look for them. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { connect } from '../../../src/index.ts';
import { startBroker } from '../../../src/testing/start-broker.ts';
import { readDeadLetters } from '../../support/dead-letters.ts';
import { withRawApi } from '../../support/raw-api.ts';
import { serversUnderTest } from '../../support/servers.ts';

for (const { binary, version } of serversUnderTest()) {
  test(`nats-server ${version}: a message whose headers speak of Nats-Msg-Id is stored once`, async () => {
    await using broker = await startBroker({ binary });
    const memphis = await connect({ servers: [broker.url] });
    try {
      await memphis.createStation('jobs', { storageType: 'memory' });
      const options = { msgId: 'id-1', headers: { 'X-Nats-Msg-Id': 'other', note: 'Nats-Msg-Id: none' } };
      const first = await memphis.produce('jobs', 'work', options);
      const second = await memphis.produce('jobs', 'work', options);
      assert.deepEqual([first.duplicate, second.duplicate], [false, true]);
    } finally {
      await memphis.close();
    }
  });

  test(`nats-server ${version}: what nobody stores is repeated past the idempotency window: it is nowhere yet`, async () => {
    await using broker = await startBroker({ binary });
    const memphis = await connect({ servers: [broker.url] });
    try {
      await memphis.createStation('jobs', { storageType: 'memory', idempotencyWindowMs: 200 });
      await memphis.produce('jobs', 'first');
      await withRawApi(broker.port, async (api) => {
        const { config } = (await api('STREAM.INFO.jobs$1')) as { readonly config: { readonly subjects: string[] } };
        // as an election does it: the stream is there, and nobody answers for it
        await api('STREAM.UPDATE.jobs$1', { ...config, subjects: ['elsewhere.>'] });
        const produced = memphis.produce('jobs', 'second');
        await setTimeout(500);
        await api('STREAM.UPDATE.jobs$1', config);
        assert.partialDeepStrictEqual(await produced, { sequence: 2, duplicate: false });
      });
    } finally {
      await memphis.close();
    }
  });

  test(`nats-server ${version}: what may be stored is not to be repeated past the idempotency window`, async () => {
    await using broker = await startBroker({ binary });
    const memphis = await connect({ servers: [broker.url] });
    try {
      await memphis.createStation('jobs', { storageType: 'memory', idempotencyWindowMs: 500 });
      await memphis.produce('jobs', 'first');
      for (const [ackWaitMs, retryable] of [
        [300, true],
        [700, false],
      ] as const) {
        broker.freeze();
        await assert.rejects(memphis.produce('jobs', 'second', { msgId: '2', ackWaitMs }), {
          code: 'TIMEOUT',
          retryable,
        });
        broker.thaw();
      }
    } finally {
      await memphis.close();
    }
  });

  test(`nats-server ${version}: two deliveries of a message leave one dead letter`, async () => {
    await using broker = await startBroker({ binary });
    const memphis = await connect({ servers: [broker.url] });
    try {
      await memphis.createStation('jobs', { storageType: 'memory' });
      await memphis.produce('jobs', 'work', { msgId: 'id-1' });
      const consumer = await memphis.createConsumer('jobs', { group: 'g', maxAckTimeMs: 200 });
      const [late] = await consumer.fetch({ batchSize: 1, batchMaxWaitMs: 1_000 });
      const [again] = await consumer.fetch({ batchSize: 1, batchMaxWaitMs: 5_000 });
      assert.deepEqual([late?.deliveryCount, again?.deliveryCount], [1, 2]);
      await again?.deadLetter('once');
      await late?.deadLetter('twice');
      const letters = await readDeadLetters(broker.port, 'jobs');
      assert.equal(letters.length, 1);
    } finally {
      await memphis.close();
    }
  });

  test(`nats-server ${version}: what was dropped is a dead letter again when its group has begun anew`, async () => {
    await using broker = await startBroker({ binary });
    const memphis = await connect({ servers: [broker.url] });
    try {
      await memphis.createStation('jobs', { storageType: 'memory' });
      await memphis.produce('jobs', 'work');
      const letters = memphis.station('jobs').deadLetters();
      for (const _ of [1, 2]) {
        const consumer = await memphis.createConsumer('jobs', { group: 'g' });
        const [message] = await consumer.fetch();
        await message?.deadLetter('bad');
        assert.equal(await letters.dropAll(), 1);
        await consumer.destroy();
      }
    } finally {
      await memphis.close();
    }
  });
}
