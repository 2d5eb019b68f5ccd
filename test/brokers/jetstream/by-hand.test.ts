/** What is read by hand for speed says the same as what reads it plainly, whatever comes. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseAckSubject } from '../../../src/brokers/jetstream/wire/ack.ts';
import { parsePubAck } from '../../../src/brokers/jetstream/wire/publish.ts';
import type { Frame } from '../../../src/connection/port.ts';
import { isMemphisError } from '../../../src/model/errors.ts';

const token = fc.stringMatching(/^[A-Za-z0-9_$#-]{1,12}$/);
const number = fc.integer({ min: 0, max: 2 ** 50 }).map(String);
const nanoseconds = fc
  .tuple(fc.integer({ min: 0, max: 2 ** 40 }), fc.integer({ min: 0, max: 999_999 }))
  .map(([ms, rest]) => `${ms}${String(rest).padStart(6, '0')}`);

/** The reply subject of a delivery, with the domain and the last token of newer servers or without. */
const ackSubject = fc
  .record({
    domain: fc.option(fc.tuple(token, token)),
    names: fc.tuple(token, token),
    counts: fc.tuple(number, number, number),
    time: nanoseconds,
    pending: number,
    last: fc.option(token),
  })
  .map(({ domain, names, counts, time, pending, last }) =>
    ['$JS', 'ACK', ...(domain ?? []), ...names, ...counts, time, pending, ...(domain && last ? [last] : [])].join('.'),
  );

/** Word by word. */
function readPlainly(subject: string): ReturnType<typeof parseAckSubject> {
  const words = subject.split('.');
  const [stream = '', , deliveries, sequence, consumerSequence, time = '', pending] = words.slice(
    words.length === 9 ? 2 : 4,
  );
  return {
    stream,
    deliveryCount: Number(deliveries),
    sequence: Number(sequence),
    consumerSequence: Number(consumerSequence),
    timestamp: new Date(Number(time.slice(0, -6))),
    pending: Number(pending),
  };
}

test('any reply subject of a delivery is read as it would be word by word', () => {
  fc.assert(
    fc.property(ackSubject, (subject) => assert.deepEqual(parseAckSubject(subject), readPlainly(subject))),
    { numRuns: 2_000 },
  );
});

test('any other subject is refused, also one that comes after a good one', () => {
  const word = fc.oneof(token, fc.constantFrom('$JS', 'ACK', ''));
  const other = fc.array(word, { maxLength: 8 }).map((words) => words.join('.'));
  fc.assert(
    fc.property(ackSubject, other, (good, subject) => {
      parseAckSubject(good);
      assert.throws(
        () => parseAckSubject(subject),
        (error) => isMemphisError(error, 'BROKER_REFUSED'),
      );
    }),
    { numRuns: 1_000 },
  );
});

test('any answer to a message that is stored says the same as text and as JSON', () => {
  const sequence = fc.oneof(fc.integer({ min: -3, max: Number.MAX_SAFE_INTEGER }), fc.double());
  const reply = fc.record(
    {
      stream: fc.string({ unit: 'binary', maxLength: 8 }),
      domain: token,
      seq: sequence,
      duplicate: fc.boolean(),
      error: fc.record({ code: fc.nat(599), err_code: fc.nat(20_000), description: fc.string() }),
    },
    { requiredKeys: [] },
  );
  const text = fc.oneof(
    reply.map((one) => JSON.stringify(one)),
    reply.map((one) => JSON.stringify(one).replace(',"seq"', ', "seq"')), // servers before 2.12
    fc.string({ unit: 'binary' }),
  );
  const read = (frame: Partial<Frame>): unknown => {
    try {
      return parsePubAck('s', frame as Frame);
    } catch (error) {
      return isMemphisError(error) ? error.code : error;
    }
  };
  fc.assert(
    fc.property(text, (given) => {
      const data = Buffer.from(given);
      assert.deepEqual(read({ status: 0, data, latin1: data.toString('latin1') }), read({ status: 0, data }));
    }),
    { numRuns: 2_000 },
  );
});
