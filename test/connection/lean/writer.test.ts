/** What is put leaves once, in order, whole, and as it was when it was put. */

import assert from 'node:assert/strict';
import { Writable } from 'node:stream';
import { test } from 'node:test';
import fc from 'fast-check';
import { Writer } from '../../../src/connection/lean/writer.ts';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A stream that keeps what it was given without copying it, and ends some writes later. */
function listen(isSlow: () => boolean) {
  const chunks: Buffer[] = [];
  let writes = 0;
  const stream = new Writable({
    highWaterMark: 1_000_000_000,
    write(chunk: Buffer, _, done) {
      writes++;
      const take = (): void => {
        chunks.push(Buffer.from(chunk));
        done();
      };
      if (isSlow()) setImmediate(take);
      else take();
    },
  });
  return { stream, text: () => Buffer.concat(chunks).toString(), writes: () => writes };
}

test('what is put in one tick leaves in one write, behind the greeting', async () => {
  const { stream, text, writes } = listen(() => false);
  const writer = new Writer();
  writer.put('A\r\n');
  writer.open(stream, 'CONNECT\r\n');
  writer.put('PUB a 2\r\n', Buffer.from('xy'));
  await turn();
  assert.deepEqual([text(), writes()], ['CONNECT\r\nA\r\nPUB a 2\r\nxy\r\n', 1]);
});

test('very many bytes do not wait for the end of the tick', () => {
  const { stream, writes } = listen(() => false);
  const writer = new Writer();
  writer.open(stream, '');
  for (let i = 0; i < 1_000; i++) writer.put('PUB a 1000\r\n', Buffer.alloc(1_000));
  assert.ok(writes() >= 10 && writes() < 20, `${writes()} writes`);
});

test('bytes are copied when they are put, and a stream that holds on to them is left its own', async () => {
  const piece = fc.record({
    text: fc.string({ unit: fc.constantFrom('a', 'ü', '😀', ' '), maxLength: 40 }),
    size: fc.option(fc.integer({ min: 0, max: 90_000 }), { nil: undefined }),
    waits: fc.boolean(),
    isSlow: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(piece, { maxLength: 20 }), async (pieces) => {
      let isSlow = false;
      const { stream, text } = listen(() => isSlow);
      const writer = new Writer();
      writer.open(stream, '');
      let expected = '';
      for (const [index, one] of pieces.entries()) {
        isSlow = one.isSlow;
        const data = one.size === undefined ? undefined : Buffer.alloc(one.size, String(index % 10));
        expected += data === undefined ? one.text : `${one.text}${data}\r\n`;
        writer.put(one.text, data);
        data?.fill('!');
        if (one.waits) await turn();
      }
      writer.flush();
      while (stream.writableLength > 0) await turn();
      assert.ok(text() === expected);
    }),
    { numRuns: 60 },
  );
});
