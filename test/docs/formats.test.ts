/** Holds what docs/architecture.md shows of formats and the code together: event, answer, headers of a dead letter. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { deadLetterHeaders } from '../../src/brokers/jetstream/dead-letters.ts';
import { parseAckSubject } from '../../src/brokers/jetstream/wire/ack.ts';
import { fromEvent, toEvent } from '../../src/envelope/event.ts';
import { parseResponse } from '../../src/envelope/response.ts';
import { defaultReserveMs } from '../../src/model/deadline.ts';
import { makeLane } from '../support/lanes.ts';

const page = readFileSync(join(import.meta.dirname, '../../docs/architecture.md'), 'utf8');
const [event, answer] = [...page.matchAll(/^```json\n([\s\S]*?)^```$/gm)].map(([, json = '']): unknown =>
  JSON.parse(json),
);

test('the event is one that a poller would send, with every field there is', () => {
  const read = fromEvent(event);
  assert.deepEqual(toEvent(read, read.messages), event);
});

test('the answer is read as it says', () => {
  assert.deepEqual(parseResponse(answer, ['orders$1:42'], { strict: true }), {
    ok: true,
    failed: new Map([['orders$1:42', { action: 'retry', delayMs: 5000, reason: 'the bank is busy' }]]),
  });
});

test('the headers of a dead letter are listed, and no others', () => {
  const { messages } = fromEvent(event);
  const [message] = messages;
  assert.ok(message !== undefined);
  const delivery = {
    ...message,
    lane: makeLane({ stream: 'orders$1', durable: 'billing', partition: 1 }),
    laneDeliveries: 1,
    position: parseAckSubject('$JS.ACK.orders$1.billing.1.42.42.1767225600000000000.0'),
    ackSubject: '$JS.ACK.orders$1.billing.1.42.1.1767225600000000000.0',
    allHeaders: [['Nats-Expected-Stream', 'x']] as const,
    credit: 0,
    owner: undefined,
    place: 0,
    decision: undefined,
  };
  const made = deadLetterHeaders(delivery, 'billing', 'why', 1_000_000).map(([name]) =>
    name.replace('Nats-Expected-Stream', '<name>'),
  );
  const section = /^### Dead letters$([\s\S]*?)^### /m.exec(page)?.[1] ?? '';
  const listed = [...section.matchAll(/^\| `([^`]+)` *\|/gm)].map((match) => match[1]);
  assert.deepEqual(listed.sort(), made.sort());
});

test('the reserve before the deadline is the one that the page states', () => {
  assert.match(page, /a tenth of what remains, at least a second, at most half/);
  assert.deepEqual([60_000, 5_000, 1_500].map(defaultReserveMs), [6_000, 1_000, 750]);
});
