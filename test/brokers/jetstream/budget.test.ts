/** The delivery budget on real servers: what no handler saw is not a message's last delivery. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { readersOf } from '../../../src/brokers/readers.ts';
import { connect } from '../../../src/index.ts';
import { startBroker } from '../../../src/testing/start-broker.ts';
import { readDeadLetters } from '../../support/dead-letters.ts';
import { giveBackUnseen, openDeafReader } from '../../support/deaf-reader.ts';
import { withRawApi } from '../../support/raw-api.ts';
import { serversUnderTest } from '../../support/servers.ts';

const options = { station: 'jobs', group: 'g', ackWaitMs: 30_000, maxDeliveries: 2 } as const;
/** Where it is noted which deliveries do not count. */
const BUCKET = '$JS.API.STREAM.MSG.GET.KV_memphis_serverless';
const take = { batchSize: 10, waitMs: 1_000 } as const;

for (const { binary, version } of serversUnderTest()) {
  test(`nats-server ${version}: a message given back on its last delivery comes again, with its last delivery`, async () => {
    await using broker = await startBroker({ binary });
    const memphis = await connect({ servers: [broker.url] });
    await memphis.createStation('jobs', { storageType: 'memory' });
    await memphis.produce('jobs', 'x');
    const reader = readersOf(await memphis.session.broker()).reader(options);
    const counts: number[] = [];
    for (const outcome of ['giveBack', 'giveBack', 'giveBack', 'giveBack'] as const) {
      const batch = await reader.pull(take);
      for (const message of batch.messages) {
        counts.push(message.deliveryCount);
        assert.equal(await batch.settle(message, { action: outcome }), 'givenBack');
      }
    }
    assert.deepEqual(counts, [1, 2, 2, 2], 'the last delivery is there until a handler has seen it');
    const last = await reader.pull(take);
    const [message] = last.messages;
    assert.ok(message);
    assert.equal(await last.settle(message, { action: 'retry', delayMs: 0, reason: 'no' }), 'deadLettered');
    assert.equal((await readDeadLetters(broker.port, 'jobs')).length, 1);
    await memphis.close();
  });

  test(`nats-server ${version}: a message whose unseen deliveries nobody can tell comes again, and is no dead letter`, async () => {
    await using broker = await startBroker({ binary });
    await using scene = await openDeafReader(broker.port, options);
    const { deaf, reader } = scene;
    await giveBackUnseen(reader, 3);
    deaf.deafen(BUCKET, 1); // for one half of the time; in the other one it is told
    const hurried = await reader.pull({ batchSize: 10, waitMs: 0, patienceMs: 100, settleByMs: Date.now() + 1_200 });
    assert.deepEqual(hurried.messages, []);
    assert.equal(deaf.unheard, 1);
    const last = await reader.pull(take);
    assert.deepEqual(await readDeadLetters(broker.port, 'jobs'), []);
    const [message] = last.messages;
    assert.equal(message?.deliveryCount, 2, 'its last delivery is still there');
  });

  test(`nats-server ${version}: without an answer in all of the time nothing is said to its source`, async () => {
    await using broker = await startBroker({ binary });
    await using scene = await openDeafReader(broker.port, options);
    const { deaf, reader } = scene;
    await giveBackUnseen(reader, 3);
    deaf.deafen(BUCKET);
    const hurried = await reader.pull({ batchSize: 10, waitMs: 0, patienceMs: 100, settleByMs: Date.now() + 600 });
    assert.deepEqual(hurried.messages, []);
    const { num_ack_pending: out } = await withRawApi(broker.port, (api) => api('CONSUMER.INFO.jobs$1.g'));
    assert.equal(out, 1, 'it comes back when its time to settle is over');
    assert.deepEqual(await readDeadLetters(broker.port, 'jobs'), []);
  });

  test(`nats-server ${version}: who turns out not to be allowed to read of unseen deliveries goes by what the server counts`, async () => {
    await using broker = await startBroker({ binary });
    await using scene = await openDeafReader(broker.port, options);
    const { deaf, reader } = scene;
    await giveBackUnseen(reader, 3);
    deaf.deafen(BUCKET, 1);
    const hurried = reader.pull({ batchSize: 10, waitMs: 0, patienceMs: 100, settleByMs: Date.now() + 1_200 });
    while (deaf.unheard === 0) await sleep(5);
    deaf.deny(BUCKET); // asked once more, it is refused
    assert.deepEqual((await hurried).messages, []);
    assert.deepEqual((await reader.pull(take)).messages, []);
    assert.equal((await readDeadLetters(broker.port, 'jobs')).length, 1, 'it was given back at once');
  });

  test(`nats-server ${version}: what came too late for its only delivery comes to the next invocation, though no note could be stored`, async () => {
    await using broker = await startBroker({ binary });
    await using scene = await openDeafReader(broker.port, { ...options, maxDeliveries: 1 });
    const { deaf, reader } = scene;
    deaf.deny('$KV.memphis_serverless.credit.');
    await giveBackUnseen(reader, 2);
    const counts = (await reader.pull(take)).messages.map(({ deliveryCount }) => deliveryCount);
    assert.deepEqual(counts, [1], 'no handler has seen it');
    assert.deepEqual(await readDeadLetters(broker.port, 'jobs'), []);
  });

  test(`nats-server ${version}: what came too late for its only delivery comes to another process, though the note's answers do`, async () => {
    await using broker = await startBroker({ binary });
    await using scene = await openDeafReader(broker.port, { ...options, maxDeliveries: 1 });
    const { deaf, reader } = scene;
    const batch = await reader.pull({ ...take, settleByMs: Date.now() + 1_000 });
    deaf.deafen('$'); // all arrives, and no answer comes back in time
    await Promise.allSettled(batch.messages.map((message) => batch.settle(message, { action: 'giveBack' })));
    const other = await connect({ servers: [broker.url] });
    const fetched = await other.fetchMessages('jobs', { group: 'g', maxMsgDeliveries: 1, batchMaxWaitMs: 1_000 });
    assert.deepEqual(
      fetched.map(({ deliveryCount }) => deliveryCount),
      [1],
      'no handler has seen it',
    );
    await other.close();
  });

  test(`nats-server ${version}: what is given back with a delay comes after it`, async () => {
    await using broker = await startBroker({ binary });
    const memphis = await connect({ servers: [broker.url] });
    await memphis.createStation('jobs', { storageType: 'memory' });
    await memphis.produce('jobs', 'x');
    const reader = readersOf(await memphis.session.broker()).reader(options);
    const batch = await reader.pull(take);
    const [message] = batch.messages;
    assert.ok(message);
    const startedAt = performance.now();
    await batch.settle(message, { action: 'giveBack', delayMs: 300 });
    assert.equal((await reader.pull(take)).messages.length, 1);
    assert.ok(performance.now() - startedAt >= 290);
    await memphis.close();
  });

  test(`nats-server ${version}: messages that ran out do not make a station look empty`, async () => {
    await using broker = await startBroker({ binary });
    const memphis = await connect({ servers: [broker.url] });
    await memphis.createStation('jobs', { storageType: 'memory' });
    await memphis.produce('jobs', 'poison');
    const reader = readersOf(await memphis.session.broker()).reader({ ...options, ackWaitMs: 200, maxDeliveries: 1 });
    assert.equal((await reader.pull({ batchSize: 1, waitMs: 0 })).messages.length, 1);
    await new Promise((resolve) => setTimeout(resolve, 300)); // its reader died
    await memphis.produce('jobs', 'good');
    const batch = await reader.pull({ batchSize: 1, waitMs: 0 });
    assert.deepEqual(
      batch.messages.map(({ data }) => new TextDecoder().decode(data)),
      ['good'],
    );
    assert.equal((await readDeadLetters(broker.port, 'jobs'))[0]?.text, 'poison');
    await memphis.close();
  });
}
