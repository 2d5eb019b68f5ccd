import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { allot, allotByPending } from '../../../src/brokers/jetstream/allot.ts';

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);

test('never more is asked for than is wanted, and nothing is left out that was wanted', () => {
  fc.assert(
    fc.property(fc.nat(500), fc.integer({ min: 1, max: 40 }), fc.nat(100), (wanted, partitions, first) => {
      const shares = allot(wanted, partitions, first % partitions);
      assert.equal(sum(shares), wanted);
      assert.ok(Math.max(...shares) - Math.min(...shares) <= 1);
    }),
  );
});

test('partitions that hold more are asked for at most what they hold', () => {
  fc.assert(
    fc.property(fc.nat(500), fc.array(fc.nat(50), { minLength: 1, maxLength: 20 }), (wanted, pending) => {
      const shares = allotByPending(wanted, pending);
      assert.equal(sum(shares), Math.min(wanted, sum(pending)));
      for (const [index, share] of shares.entries()) assert.ok(share <= (pending[index] ?? 0));
    }),
  );
});
