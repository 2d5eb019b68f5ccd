import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { connect } from '../../src/index.ts';
import { isMemphisError } from '../../src/model/errors.ts';
import type { Outcome } from '../../src/model/outcome.ts';
import type { StationOptions } from '../../src/model/station-settings.ts';
import { type MemoryBroker, makeFakeClock, makeMemoryBroker, useBroker } from '../../src/testing/index.ts';

const settings: StationOptions = {
  partitionsNumber: 2,
  retentionType: 'message_age_sec',
  retentionValue: 3600,
  storageType: 'memory',
  replicas: 1,
  idempotencyWindowMs: 120_000,
  sendPoisonMsgToDls: true,
};

async function open(options: { readonly partitionsNumber?: number; readonly maxDeliveries?: number } = {}) {
  const clock = makeFakeClock();
  const broker = makeMemoryBroker({ clock });
  await broker.createStation('orders', { ...settings, partitionsNumber: options.partitionsNumber ?? 1 });
  const reader = broker.reader({
    station: 'orders',
    group: 'billing',
    ackWaitMs: 30_000,
    maxDeliveries: options.maxDeliveries ?? 3,
  });
  const pull = (batchSize = 10, waitMs = 0) => reader.pull({ batchSize, waitMs });
  const settleAll = async (outcome: Outcome) => {
    const batch = await pull();
    return Promise.all(batch.messages.map((message) => batch.settle(message, outcome)));
  };
  return { clock, broker, reader, pull, settleAll };
}

const publish = (broker: MemoryBroker, text: string, more: { msgId?: string; partition?: number } = {}) =>
  broker.publish(
    {
      station: 'orders',
      partition: 1,
      data: new TextEncoder().encode(text),
      headers: {},
      producerName: 'test',
      ...more,
    },
    { timeoutMs: 1000 },
  );

describe('the memory broker', () => {
  it('delivers what was published, in order, to each group', async () => {
    const { broker, pull } = await open();
    for (const text of ['a', 'b', 'c']) await publish(broker, text);
    const batch = await pull(2);
    assert.deepEqual(
      batch.messages.map(({ id, deliveryCount, data }) => [id, deliveryCount, new TextDecoder().decode(data)]),
      [
        ['orders$1:1', 1, 'a'],
        ['orders$1:2', 1, 'b'],
      ],
    );
    const other = broker.reader({ station: 'orders', group: 'audit', ackWaitMs: 1000, maxDeliveries: 1 });
    assert.equal((await other.pull({ batchSize: 10, waitMs: 0 })).messages.length, 3);
    assert.equal(broker.unsettled('orders', 'billing'), 3);
  });

  it('pulls from all partitions together, or from one', async () => {
    const { broker, reader } = await open({ partitionsNumber: 2 });
    await publish(broker, 'a', { partition: 1 });
    await publish(broker, 'b', { partition: 2 });
    await publish(broker, 'c', { partition: 2 });
    const second = await reader.pull({ batchSize: 1, waitMs: 0, partition: 2 });
    assert.deepEqual(
      second.messages.map(({ id }) => id),
      ['orders$2:1'],
    );
    const rest = await reader.pull({ batchSize: 10, waitMs: 0 });
    assert.deepEqual(
      rest.messages.map(({ id }) => id),
      ['orders$1:1', 'orders$2:2'],
    );
    assert.deepEqual(await broker.partitions('orders'), [1, 2]);
  });

  it('stores a message id once within the window and again after it', async () => {
    const { broker, clock } = await open();
    const first = await publish(broker, 'a', { msgId: '1' });
    assert.deepEqual(await publish(broker, 'b', { msgId: '1' }), { ...first, duplicate: true });
    await clock.advance(120_000);
    assert.equal((await publish(broker, 'c', { msgId: '1' })).duplicate, false);
  });

  it('delivers again when the ack wait is over, and later when it was extended', async () => {
    const { broker, clock, pull } = await open();
    await publish(broker, 'a');
    const batch = await pull();
    await clock.advance(20_000);
    await batch.extend(batch.messages);
    await clock.advance(20_000);
    assert.equal((await pull()).messages.length, 0);
    await clock.advance(10_000);
    assert.equal((await pull()).messages[0]?.deliveryCount, 2);
  });

  it('keeps delays, and does not count what was given back', async () => {
    const { broker, clock, pull, settleAll } = await open();
    await publish(broker, 'a');
    assert.deepEqual(await settleAll({ action: 'retry', delayMs: 5000 }), ['retried']);
    await clock.advance(4999);
    assert.equal((await pull()).messages.length, 0);
    await clock.advance(1);
    assert.deepEqual(await settleAll({ action: 'giveBack' }), ['givenBack']);
    assert.deepEqual(await settleAll({ action: 'giveBack', delayMs: 10 }), ['givenBack']);
    assert.equal((await pull()).messages.length, 0);
    await clock.advance(10);
    assert.equal((await pull()).messages[0]?.deliveryCount, 2);
  });

  it('turns a retry on the last delivery into a dead letter', async () => {
    const { broker, pull, settleAll } = await open({ maxDeliveries: 2 });
    await publish(broker, 'a');
    assert.deepEqual(await settleAll({ action: 'retry', delayMs: 0, reason: 'first' }), ['retried']);
    assert.deepEqual(await settleAll({ action: 'retry', delayMs: 0, reason: 'second' }), ['deadLettered']);
    assert.equal((await pull()).messages.length, 0);
    assert.equal(broker.deadLetters.length, 1);
    assert.match(broker.deadLetters[0]?.reason ?? '', /second/);
    assert.equal(broker.unsettled('orders', 'billing'), 0);
  });

  it('sets aside a message whose deliveries ran out with nobody settling it', async () => {
    const { broker, clock, pull } = await open({ maxDeliveries: 2 });
    await publish(broker, 'a');
    for (const count of [1, 2]) {
      assert.equal((await pull()).messages[0]?.deliveryCount, count);
      broker.crash();
      await clock.advance(30_000);
    }
    assert.equal((await pull()).messages.length, 0);
    assert.equal(broker.deadLetters[0]?.message.id, 'orders$1:1');
  });

  it('loses what a crashed holder says', async () => {
    const { broker, clock, pull } = await open();
    await publish(broker, 'a');
    const batch = await pull();
    const [message] = batch.messages;
    assert.ok(message);
    broker.crash();
    await assert.rejects(batch.settle(message, { action: 'ack' }), (error) =>
      isMemphisError(error, 'SETTLE_UNCONFIRMED'),
    );
    await batch.extend(batch.messages);
    await clock.advance(30_000);
    assert.equal((await pull()).messages.length, 1);
  });

  it('refuses to confirm settles on demand', async () => {
    const { broker, settleAll } = await open();
    await publish(broker, 'a');
    broker.failSettles(1);
    await assert.rejects(settleAll({ action: 'ack' }), (error) => isMemphisError(error, 'SETTLE_UNCONFIRMED'));
    assert.equal(broker.unsettled('orders', 'billing'), 1);
  });

  it('ignores a delay of a delivery that was followed by another', async () => {
    const { broker, clock, pull } = await open();
    await publish(broker, 'a');
    const stale = await pull();
    await clock.advance(30_000);
    const current = await pull();
    const [old] = stale.messages;
    assert.ok(old && current.messages.length === 1);
    await stale.settle(old, { action: 'retry', delayMs: 0 });
    assert.equal((await pull()).messages.length, 0);
  });

  it('waits for a message no longer than asked, and leaves when told to', async () => {
    const { broker, clock, pull, reader } = await open();
    const empty = pull(10, 1000);
    await clock.advance(1000);
    assert.equal((await empty).messages.length, 0);

    const full = pull(10, 1000);
    await clock.advance(10);
    await publish(broker, 'a');
    assert.equal((await full).messages.length, 1);

    const redelivered = pull(10, 60_000);
    await clock.advance(30_000);
    assert.equal((await redelivered).messages[0]?.deliveryCount, 2);

    const stop = new AbortController();
    const stopped = reader.pull({ batchSize: 1, waitMs: 1_000_000, signal: stop.signal });
    stop.abort();
    assert.equal((await stopped).messages.length, 0);
  });

  it('drops dead letters where the station says so, and copies them to a linked station', async () => {
    const { broker } = await open();
    await broker.createStation('dropping', { sendPoisonMsgToDls: false, dlsStation: 'linked' });
    await broker.createStation('linking', { dlsStation: 'linked' });
    for (const station of ['dropping', 'linking']) {
      const message = { station, partition: 1, data: new Uint8Array(1), headers: { a: 'b' }, producerName: 'test' };
      await broker.publish(message, { timeoutMs: 1000 });
      const reader = broker.reader({ station, group: 'g', ackWaitMs: 1000, maxDeliveries: 1 });
      const batch = await reader.pull({ batchSize: 1, waitMs: 0 });
      await Promise.all(batch.messages.map((one) => batch.settle(one, { action: 'deadLetter', reason: 'why' })));
    }
    assert.deepEqual(
      broker.deadLetters.map(({ station }) => station),
      ['linking'],
    );
    const copies = broker.reader({ station: 'linked', group: 'g', ackWaitMs: 1000, maxDeliveries: 1 });
    const { messages } = await copies.pull({ batchSize: 10, waitMs: 0 });
    assert.deepEqual(
      messages.map(({ headers }) => headers),
      [{ a: 'b', station: 'linking', type: 'unacked' }],
    );
  });

  it('lists, reads, drops and puts back its dead letters, as a client sees them', async () => {
    const { broker, clock } = await open({ maxDeliveries: 5 });
    using _end = useBroker(broker);
    const memphis = await connect();
    for (const text of ['a', 'b', 'c', 'd']) await memphis.produce('orders', text, { headers: { of: text } });
    const options = { group: 'billing', batchMaxWaitMs: 0 };
    for (const message of await memphis.fetchMessages('orders', options)) await message.deadLetter('why');
    await clock.advance(1_000);
    const letters = memphis.station('orders').deadLetters();
    const [, second] = await letters.list({ group: 'billing', limit: 2 });
    assert.ok(second);
    const { id, messageId, reason, headers, deliveryCount } = second;
    assert.deepEqual([id, messageId, reason, headers, deliveryCount], [2, 'orders$1:2', 'why', { of: 'b' }, 1]);
    assert.equal((await letters.get(2)).text(), 'b');
    assert.deepEqual([await letters.count(), await letters.count({ group: 'other' })], [4, 0]);
    assert.equal(await letters.drop([1, 9]), 1);
    assert.deepEqual(await letters.redrive([2, 1]), [
      { id: 2, outcome: 'redriven' },
      { id: 1, outcome: 'missing' },
    ]);
    assert.deepEqual(await letters.redrive([3], { to: 'station' }), [{ id: 3, outcome: 'redriven' }]);
    const back = await memphis.fetchMessages('orders', options);
    assert.deepEqual(
      back.map(({ id: of, deliveryCount: count }) => [of, count]),
      [
        ['orders$1:2', 1],
        ['orders$1:5', 1],
      ],
    );
    const steps: unknown[] = [];
    assert.equal(await letters.dropAll({ onProgress: (...step) => steps.push(step) }), 1);
    assert.deepEqual(steps, [[1, 1]]);
    await assert.rejects(letters.get(4), (error) => isMemphisError(error, 'DEAD_LETTER_NOT_FOUND'));
    await assert.rejects(memphis.deadLetters('nowhere').list(), (error) => isMemphisError(error, 'STATION_NOT_FOUND'));
    await memphis.close();
  });

  it('describes and lists its stations', async () => {
    const { broker, pull } = await open({ partitionsNumber: 2 });
    await broker.createStation('a');
    for (const text of ['x', 'y']) await publish(broker, text);
    await pull(1);
    const { groups, partitions, messages, deadLetters, isOurs } = await broker.describeStation('orders');
    assert.deepEqual([messages, deadLetters, isOurs], [2, 0, true]);
    assert.deepEqual(
      partitions.map(({ partition, firstSequence, lastSequence }) => [partition, firstSequence, lastSequence]),
      [
        [1, 1, 2],
        [2, 1, 0],
      ],
    );
    assert.deepEqual(
      groups.map(({ name, pending, ackPending, redelivered }) => [name, pending, ackPending, redelivered]),
      [['billing', 1, 1, 0]],
    );
    assert.deepEqual(
      (await broker.listStations()).map(({ name }) => name),
      ['a', 'orders'],
    );
  });

  it('fails with the codes of a real one', async () => {
    const { broker, reader } = await open();
    const codes = [
      [() => broker.partitions('nowhere'), 'STATION_NOT_FOUND'],
      [() => broker.destroyStation('nowhere'), 'STATION_NOT_FOUND'],
      [() => broker.createStation('tiered', { tieredStorageEnabled: true }), 'UNSUPPORTED'],
      [() => publish(broker, 'a', { partition: 9 }), 'PARTITION_NOT_FOUND'],
      [() => publish(broker, 'a'.repeat(2_000_000)), 'PAYLOAD_TOO_LARGE'],
    ] as const;
    for (const [call, code] of codes) await assert.rejects(call(), (error) => isMemphisError(error, code));
    assert.equal(await broker.createStation('orders', settings), false);
    await broker.destroyStation('orders');
    await assert.rejects(reader.pull({ batchSize: 1, waitMs: 0 }), (error) =>
      isMemphisError(error, 'STATION_NOT_FOUND'),
    );
  });

  it('refuses to be bound to a stream of others', async () => {
    const { broker } = await open();
    const options = { station: 'ORDERS', group: 'g', binding: { stream: 'ORDERS' }, ackWaitMs: 1000, maxDeliveries: 1 };
    await assert.rejects(broker.reader(options).pull({ batchSize: 1, waitMs: 0 }), (error) =>
      isMemphisError(error, 'UNSUPPORTED'),
    );
  });

  it('begins anew when its group was destroyed', async () => {
    const { broker, settleAll, pull } = await open();
    await publish(broker, 'a');
    await settleAll({ action: 'ack' });
    await broker.destroyGroup({ station: 'orders', group: 'billing', ackWaitMs: 1000, maxDeliveries: 1 });
    assert.equal((await pull()).messages.length, 1);
  });

  it('waits in real time without leaving a timer', async () => {
    const broker = makeMemoryBroker();
    await broker.createStation('orders', settings);
    const reader = broker.reader({ station: 'orders', group: 'g', ackWaitMs: 1000, maxDeliveries: 1 });
    const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
    const before = timers();
    const pulled = reader.pull({ batchSize: 1, waitMs: 60_000 });
    await new Promise(setImmediate);
    assert.equal(timers(), before + 1);
    await publish(broker, 'a');
    assert.equal((await pulled).messages.length, 1);
    assert.equal(timers(), before);
    assert.equal((await reader.pull({ batchSize: 1, waitMs: 1 })).messages.length, 0);
  });
});
