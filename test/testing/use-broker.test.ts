/** `useBroker`: clients and functions of this process on a broker in memory, as they are. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connect, type Message } from '../../src/index.ts';
import {
  DeadLetter,
  each,
  type LambdaContext,
  type ProducerContext,
  withMemphis,
  withProducer,
} from '../../src/lambda/index.ts';
import { isMemphisError } from '../../src/model/errors.ts';
import { createPoller } from '../../src/poller/index.ts';
import { makeContext, makeFakeClock, makeMemoryBroker, useBroker } from '../../src/testing/index.ts';

const bill = withMemphis(
  each<{ id: string }>((order) => {
    if (order.id === 'bad') throw new DeadLetter({ reason: 'unknown customer' });
  }),
  { station: 'orders', group: 'billing', servers: ['nats://broker.example:4222'] },
);
const order = withProducer<{ id: string }>(async (event, context) => context.produce(event), { station: 'orders' });

for (const round of ['first', 'second']) {
  test(`functions that were made before work on the broker in use, the ${round} one`, async () => {
    const broker = makeMemoryBroker();
    using _end = useBroker(broker);
    await broker.createStation('orders');
    await order({ id: 'a-1' }, makeContext());
    await order({ id: 'bad' }, makeContext());
    assert.partialDeepStrictEqual(await bill({}, makeContext()), { received: 2, acked: 1, deadLettered: 1 });
    assert.equal(broker.unsettled('orders', 'billing'), 0);
    assert.deepEqual(
      broker.deadLetters.map(({ reason }) => reason),
      ['unknown customer'],
    );
  });
}

test('a consumer with a producer inside acks what it has forwarded, and nothing else', async () => {
  const broker = makeMemoryBroker();
  using _end = useBroker(broker);
  await broker.createStation('orders');
  await broker.createStation('invoices');
  await order({ id: 'a-1' }, makeContext());
  const connection = { servers: ['nats://broker.example:4222'] };
  const source = { ...connection, station: 'orders', group: 'forwarding' };
  const toInvoices = (station: string) =>
    withMemphis(
      withProducer(
        // not awaited: the wrapper does that
        each<object, LambdaContext & ProducerContext>((value, { context, signal }) => {
          assert.equal(signal.aborted, false);
          context.produce(value);
        }),
        { ...connection, station },
      ),
      { ...source, failWhenAllFail: false, backoffBaseMs: 0 },
    );
  assert.partialDeepStrictEqual(await toInvoices('nowhere')({}, makeContext()), { received: 1, acked: 0, retried: 1 });
  assert.partialDeepStrictEqual(await toInvoices('invoices')({}, makeContext()), { received: 1, acked: 1 });
  const memphis = await connect();
  const [invoice] = await memphis.fetchMessages('invoices', { group: 'g', batchMaxWaitMs: 0 });
  assert.deepEqual(invoice?.json(), { id: 'a-1' });
  await memphis.close();
});

test('the whole client works on it, without servers', async () => {
  const clock = makeFakeClock();
  using _end = useBroker(makeMemoryBroker({ clock }));
  const memphis = await connect();
  assert.equal(memphis.isConnected(), true);
  const station = await memphis.createStation('jobs', { partitionsNumber: 2 });
  const receipt = await memphis.produce('jobs', 'work', { partition: 2 });
  assert.deepEqual(receipt, { station: 'jobs', partition: 2, sequence: 1, duplicate: false });
  const consumer = await station.createConsumer({ group: 'g', maxAckTimeMs: 1_000 });
  assert.equal((await consumer.fetch()).length, 1);
  await clock.advance(1_000);
  const [message] = await consumer.fetch();
  assert.equal(message?.deliveryCount, 2);
  await message?.ack();
  await station.destroy();
  await assert.rejects(memphis.produce('jobs', 'more'), (error) => isMemphisError(error, 'STATION_NOT_FOUND'));
  await memphis.close();
  assert.equal(memphis.isConnected(), false);
  await assert.rejects(memphis.produce('jobs', 'more'), (error) => isMemphisError(error, 'CLOSED'));
});

test('so does the poller', async () => {
  const broker = makeMemoryBroker();
  using _end = useBroker(broker);
  await broker.createStation('orders');
  await order({ id: 'a-1' }, makeContext());
  const events: unknown[] = [];
  const lambda = {
    send: async (command: { input: { Payload: Uint8Array } }) => {
      events.push(JSON.parse(Buffer.from(command.input.Payload).toString()));
      return { StatusCode: 200, Payload: new TextEncoder().encode('null') };
    },
  };
  const mappings = [{ station: 'orders', group: 'billing', functionName: 'billing' }];
  await createPoller({ mappings, lambda: lambda as never, idleExitMs: 10 }).run();
  assert.equal(events.length, 1);
  assert.equal(broker.unsettled('orders', 'billing'), 0);
});

test('of several in use the last one counts, and ended is ended', async () => {
  const [one, two] = [makeMemoryBroker(), makeMemoryBroker()];
  await one.createStation('first');
  await two.createStation('second');
  const endOne = useBroker(one);
  const endTwo = useBroker(two);
  const memphis = await connect();
  const consumer = await memphis.createConsumer('second', { group: 'g' });
  const fetched: Promise<Message[]> = consumer.fetch({ batchMaxWaitMs: 0 });
  assert.deepEqual(await fetched, []);
  endTwo();
  endTwo();
  await memphis.createConsumer('first', { group: 'g' });
  endOne();
  await assert.rejects(connect(), (error) => isMemphisError(error, 'INVALID_OPTION'));
  await memphis.close();
});
