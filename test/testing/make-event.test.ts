import assert from 'node:assert/strict';
import { it } from 'node:test';
import { fromEvent } from '../../src/envelope/event.ts';
import { makeContext, makeEvent } from '../../src/testing/index.ts';

it('makes an event that a function can read from plain values', () => {
  const event = makeEvent({ messages: [{ id: 1 }, 'text', Uint8Array.of(0xff), null, undefined] });
  assert.deepEqual(
    event.messages.map(({ id, body }) => [id, body]),
    [
      ['orders$1:1', '{"id":1}'],
      ['orders$1:2', 'text'],
      ['orders$1:3', '/w=='],
      ['orders$1:4', 'null'],
      ['orders$1:5', ''],
    ],
  );
  assert.equal(event.mapping, 'orders-to-billing');
  assert.equal(fromEvent(JSON.parse(JSON.stringify(event))).messages.length, 5);
});

it('takes details for all messages and for single ones', () => {
  const event = makeEvent({
    messages: [1, 2],
    station: 'eu.orders',
    deliveryCount: 4,
    headers: { a: 'b' },
    details: (_, index) => (index === 1 ? { partition: 2, sequence: 77, partitionKey: 'k', deliveryCount: 5 } : {}),
  });
  const [first, second] = fromEvent(event).messages;
  assert.equal(first?.deliveryCount, 4);
  assert.deepEqual(second?.headers, { a: 'b' });
  assert.equal(second?.id, 'eu#orders$2:77');
  assert.equal(second?.partitionKey, 'k');
  assert.equal(second?.deliveryCount, 5);
});

it('makes a context whose time runs out', () => {
  let nowMs = 0;
  const context = makeContext({ timeoutMs: 1000, functionName: 'billing', now: () => nowMs });
  assert.equal(context.getRemainingTimeInMillis(), 1000);
  nowMs = 400;
  assert.equal(context.getRemainingTimeInMillis(), 600);
  nowMs = 5000;
  assert.equal(context.getRemainingTimeInMillis(), 0);
  assert.match(context.invokedFunctionArn, /:billing$/);
});
