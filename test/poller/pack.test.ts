import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { pack } from '../../src/poller/pack.ts';

const cut = (sizes: readonly number[], batchSize: number, limitBytes: number) =>
  pack(sizes, { batchSize, limitBytes, envelopeBytes: 10, sizeOf: (size) => size });

for (const [what, sizes, expected] of [
  ['nothing', [], []],
  ['one that fits', [1], [[1]]],
  ['as many as the batch size', [1, 1, 1], [[1, 1, 1]]],
  ['one more than the batch size', [1, 1, 1, 1], [[1, 1, 1], [1]]],
  ['exactly the limit', [45, 45], [[45, 45]]],
  ['one byte over the limit', [45, 46], [[45], [46]]],
  ['one alone too large between others', [5, 500, 6], [[5], [500], [6]]],
] as const) {
  test(`packs ${what}`, () => {
    assert.deepEqual(
      cut(sizes, 3, 100).map(({ items }) => items),
      expected,
    );
  });
}

test('says which packs nothing more goes in', () => {
  assert.deepEqual(
    cut([45, 46, 1, 1, 1], 3, 100).map(({ full }) => full),
    [true, true, false],
  );
});

test('keeps order, loses nothing, respects both limits, and wastes no invocation', () => {
  const size = fc.integer({ min: 1, max: 120 });
  fc.assert(
    fc.property(fc.array(size), fc.integer({ min: 1, max: 7 }), (sizes, batchSize) => {
      const packs = cut(sizes, batchSize, 100);
      assert.deepEqual(
        packs.flatMap(({ items }) => items),
        sizes,
      );
      const sums = packs.map(({ items }) => 10 + items.reduce((a, b) => a + b, 0));
      for (const [index, { items, full }] of packs.entries()) {
        assert.ok(items.length >= 1 && items.length <= batchSize);
        assert.ok(items.length === 1 || (sums[index] ?? 0) <= 100);
        const next = packs[index + 1];
        if (next === undefined) continue;
        assert.ok(full, 'only the last one has room left');
        const fits = (sums[index] ?? 0) + (next.items[0] ?? 0) <= 100;
        assert.ok(items.length === batchSize || !fits, 'the next one would not have fitted');
      }
    }),
  );
});
