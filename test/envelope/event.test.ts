import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { emptyEventSize, encodedSize, fromEvent, toEvent } from '../../src/envelope/event.ts';
import { isMemphisEvent } from '../../src/envelope/is-event.ts';
import { isMemphisError } from '../../src/model/errors.ts';
import type { StoredMessage } from '../../src/model/message.ts';

const source = { mapping: 'orders-to-billing', station: 'orders', group: 'billing' };
const sample = {
  eventSource: 'memphis',
  eventVersion: '1.0',
  ...source,
  messages: [
    {
      id: 'orders$1:42',
      partition: 1,
      sequence: 42,
      deliveryCount: 1,
      timestamp: '2026-01-01T00:00:00.000Z',
      headers: { k: 'v' },
      body: '{"id":1}',
      isBase64Encoded: false,
    },
  ],
} as const;

const storedMessages: fc.Arbitrary<StoredMessage[]> = fc
  .array(
    fc.record({
      partition: fc.nat(100),
      deliveryCount: fc.integer({ min: 1, max: 1000 }),
      timestamp: fc.date({ noInvalidDate: true, min: new Date(0), max: new Date('2200-01-01') }),
      headers: fc.dictionary(fc.string(), fc.string({ unit: 'binary' })),
      partitionKey: fc.option(fc.string({ minLength: 1 }), { nil: undefined }),
      data: fc.oneof(
        fc.uint8Array({ max: 255 }),
        fc.string({ unit: 'binary' }).map((text) => new TextEncoder().encode(text)),
        fc.uint8Array({ max: 0x5d }), // control characters, quotes and backslashes
      ),
    }),
  )
  .map((list) =>
    list.map(({ partitionKey, ...message }, index) => ({
      ...message,
      ...(partitionKey !== undefined && { partitionKey }),
      id: `orders$1:${index + 1}`,
      station: 'orders',
      sequence: index + 1,
    })),
  );

describe('an event', () => {
  it('has the shape of version 1.0', () => {
    const { messages } = fromEvent(sample);
    assert.deepEqual(toEvent(source, messages), sample);
  });

  it('carries any messages over, byte for byte', () => {
    fc.assert(
      fc.property(storedMessages, (messages) => {
        const event: unknown = JSON.parse(JSON.stringify(toEvent(source, messages)));
        const back = fromEvent(event);
        assert.deepEqual(
          back.messages.map(({ data, ...rest }) => ({ ...rest, headers: { ...rest.headers }, data: [...data] })),
          messages.map(({ data, ...rest }) => ({ ...rest, headers: { ...rest.headers }, data: [...data] })),
        );
      }),
    );
  });

  it('weighs exactly what was computed before it was built', () => {
    fc.assert(
      fc.property(storedMessages, (messages) => {
        const commas = Math.max(0, messages.length - 1);
        const expected = emptyEventSize(source) + commas + messages.reduce((sum, m) => sum + encodedSize(m), 0);
        assert.equal(Buffer.byteLength(JSON.stringify(toEvent(source, messages))), expected);
      }),
    );
  });

  it('writes what is no UTF-8 in base64', () => {
    const [stored] = fromEvent(sample).messages;
    const event = toEvent(source, [{ ...(stored as StoredMessage), data: Uint8Array.of(0xff, 0x00) }]);
    assert.equal(event.messages[0]?.isBase64Encoded, true);
    assert.equal(event.messages[0]?.body, '/wA=');
  });

  it('may gain fields and minor versions', () => {
    const event = { ...sample, eventVersion: '1.7', more: 1, messages: [{ ...sample.messages[0], more: 2 }] };
    assert.equal(fromEvent(event).messages.length, 1);
  });

  it('is told from others by its source', () => {
    assert.equal(isMemphisEvent(sample), true);
    for (const other of [undefined, null, {}, [], 'memphis', { eventSource: 'aws:sqs' }, { Records: [] }]) {
      assert.equal(isMemphisEvent(other), false);
    }
  });
});

const withMessage = (fields: object) => ({ ...sample, messages: [{ ...sample.messages[0], ...fields }] });
const broken: readonly (readonly [event: unknown, where: RegExp])[] = [
  [null, /the event must be an object, it is null/],
  [[], /the event must be an object, it is a list/],
  [{ ...sample, eventSource: 'aws:sqs' }, /eventSource/],
  [{ ...sample, eventVersion: '2.0' }, /eventVersion "2.0"/],
  [{ ...sample, eventVersion: 1 }, /eventVersion must be a text, it is a number/],
  [{ ...sample, mapping: undefined }, /mapping must be a text, it is missing/],
  [{ ...sample, station: '' }, /station must not be empty/],
  [{ ...sample, group: 5 }, /group/],
  [{ ...sample, messages: undefined }, /messages must be a list, it is missing/],
  [{ ...sample, messages: {} }, /messages must be a list, it is an object/],
  [{ ...sample, messages: [sample.messages[0], 7] }, /messages\[1\] must be an object/],
  [{ ...sample, messages: [sample.messages[0], sample.messages[0]] }, /messages\[1\]\.id "orders\$1:42" comes twice/],
  [withMessage({ id: 'orders$1' }), /messages\[0\]\.id/],
  [withMessage({ id: ':42' }), /messages\[0\]\.id/],
  [withMessage({ id: 'orders$1:43' }), /messages\[0\]\.id/],
  [withMessage({ id: `${'o'.repeat(400)}:42` }), /messages\[0\]\.id/],
  [withMessage({ partition: -1 }), /messages\[0\]\.partition must be a whole number from 0 up, it is -1/],
  [withMessage({ partition: '1' }), /partition/],
  [withMessage({ sequence: 0 }), /sequence/],
  [withMessage({ sequence: 2 ** 53 }), /sequence/],
  [withMessage({ deliveryCount: 0.5 }), /deliveryCount/],
  [withMessage({ timestamp: 1767225600000 }), /timestamp must be a text/],
  [withMessage({ timestamp: 'yesterday' }), /timestamp/],
  [withMessage({ timestamp: '2026-02-30T00:00:00Z' }), /timestamp/],
  [withMessage({ timestamp: '2026-01-01T00:00:00+01:00' }), /timestamp/],
  [withMessage({ headers: null }), /headers must be an object, it is null/],
  [withMessage({ headers: { a: 1 } }), /headers\["a"\] must be a text/],
  [withMessage({ partitionKey: 5 }), /partitionKey/],
  [withMessage({ body: { id: 1 } }), /body must be a text, it is an object/],
  [withMessage({ body: '\ud800' }), /body is no valid Unicode/],
  [withMessage({ isBase64Encoded: undefined }), /isBase64Encoded must be true or false, it is missing/],
  [withMessage({ isBase64Encoded: 'false' }), /isBase64Encoded/],
  [withMessage({ isBase64Encoded: true, body: 'a' }), /body is not valid base64/],
  [withMessage({ isBase64Encoded: true, body: 'ab-_' }), /body is not valid base64/],
  [withMessage({ isBase64Encoded: true, body: 'ab=c' }), /body is not valid base64/],
];

describe('a broken event', () => {
  for (const [event, where] of broken) {
    it(`is refused: ${where.source}`, () => {
      assert.throws(
        () => fromEvent(event),
        (error) => isMemphisError(error, 'INVALID_EVENT') && where.test(error.message),
      );
    });
  }

  it('is never quoted', () => {
    assert.throws(
      () => fromEvent(withMessage({ isBase64Encoded: true, body: 'secret card number' })),
      (error) => error instanceof Error && !error.message.includes('secret'),
    );
  });

  it('is a typed error for any value', () => {
    fc.assert(
      fc.property(fc.anything(), (value) => {
        for (const event of [value, { ...sample, messages: value }, withMessage({ headers: value })]) {
          try {
            fromEvent(event);
          } catch (error) {
            assert.ok(isMemphisError(error, 'INVALID_EVENT'), String(error));
          }
        }
      }),
    );
  });
});
