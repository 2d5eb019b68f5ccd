/** The short way of reading a PubAck says what the long one says, or nothing. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parsePubAck, plainSequence } from '../../../src/brokers/jetstream/wire/publish.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

test('the answers of servers with nothing special in them are read the short way', () => {
  assert.equal(plainSequence('{"stream":"orders$1", "seq":22}'), 22); // nats-server, and Memphis
  assert.equal(plainSequence('{"stream":"orders$1","seq":1}'), 1);
  assert.equal(plainSequence('{"stream":"süß","seq":123456789012345}'), 123_456_789_012_345);
});

const special = [
  '',
  '{',
  '{"stream":"',
  '{"stream":"s',
  '{"stream":"s"',
  '{"stream":"s","seq":',
  '{"stream":"s","seq":1',
  '{"stream":"s","seq":1} ',
  '{"stream":"s","seq":1}}',
  '{"stream":"s",  "seq":1}',
  '{"stream":"s","seq":0}',
  '{"stream":"s","seq":01}',
  '{"stream":"s","seq":-1}',
  '{"stream":"s","seq":1.5}',
  '{"stream":"s","seq":1e3}',
  '{"stream":"s","seq":"1"}',
  '{"stream":"s","seq":1234567890123456}',
  '{"stream":"s","seq":1,"duplicate":true}',
  '{"stream":"s","domain":"d","seq":1}',
  '{"stream":"s\\"","seq":1}',
  '{"stream":"s","seq":1,"seq":2}',
  '{"seq":1,"stream":"s"}',
  '{"error":{"code":503,"err_code":10077,"description":"x"},"stream":"s","seq":0}',
];
for (const text of special) {
  test(`${text === '' ? 'nothing' : text} is not`, () => assert.equal(plainSequence(text), 0));
}

test('whatever is read the short way, the long one reads alike', () => {
  const name = fc.string({ unit: fc.constantFrom('a', '$', '1', 'ü', '"', '\\', '}', ',', ' ') });
  const piece = fc.constantFrom('{', '}', '"', ',', ' ', ':', 'stream', 'seq', '"seq":', '1', '0', '\\', 'true', '\n');
  const ack = fc
    .record({ name, seq: fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }), blank: fc.constantFrom('', ' ', '  ') })
    .map(({ name: stream, seq, blank }) => `{"stream":"${stream}",${blank}"seq":${seq}}`);
  const noise = fc.array(piece, { maxLength: 30 }).map((pieces) => pieces.join(''));
  const damaged = fc
    .tuple(ack, fc.nat(60), piece)
    .map(([text, at, put]) => text.slice(0, at) + put + text.slice(at + put.length));
  fc.assert(
    fc.property(fc.oneof(ack, damaged, noise), (text) => {
      const sequence = plainSequence(text);
      if (sequence === 0) return;
      const reply: unknown = JSON.parse(text);
      assert.deepEqual(Object.keys(reply as object), ['stream', 'seq']);
      assert.equal((reply as { seq: number }).seq, sequence);
    }),
    { numRuns: 5_000 },
  );
});

test('a copy that the broker knew is told, the short way or not', () => {
  const frame = { subject: '', reply: '', headers: [], status: 0, statusText: '' };
  const read = (text: string) => parsePubAck('s.final', { ...frame, data: bytes(text), latin1: text });
  assert.deepEqual(read('{"stream":"s","seq":7}'), { sequence: 7, duplicate: false });
  assert.deepEqual(read('{"stream":"s","seq":7,"duplicate":true}'), { sequence: 7, duplicate: true });
  assert.throws(() => read('{"stream":"s","seq":0,"duplicate":true}'), { code: 'JETSTREAM_UNAVAILABLE' });
});
