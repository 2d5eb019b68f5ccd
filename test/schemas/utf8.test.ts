import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { readUtf8, writeUtf8 } from '../../src/schemas/utf8.ts';

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** A text, or the name of the error. */
const outcome = (run: () => string): string => {
  try {
    return `text ${run()}`;
  } catch (error) {
    return (error as Error).name;
  }
};

test('bytes are the text that a strict decoder finds in them, or an error as there', () => {
  const text = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('\ufeffa', '\ufffd', '')).map(writeUtf8);
  const near = fc.array(fc.constantFrom(0x41, 0x80, 0xbf, 0xc3, 0xed, 0xa0, 0xef, 0xbf, 0xbd, 0xf0, 0x9f), {
    maxLength: 6,
  });
  const bytes = fc.oneof(
    text,
    fc.uint8Array(),
    near.map((all) => Uint8Array.from(all)),
  );
  fc.assert(
    fc.property(bytes, fc.nat(3), (data, from) => {
      const [start, end] = [Math.min(from, data.length), data.length];
      const expected = outcome(() => strict.decode(data.subarray(start, end)));
      for (const view of [data, Buffer.from(data)]) {
        assert.equal(
          outcome(() => readUtf8(view, start, end)),
          expected,
        );
      }
    }),
    { numRuns: 2_000 },
  );
});
