/** How much a producer has under way: bounded by messages and by bytes, and nobody is overtaken or left behind. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Room } from '../../src/client/room.ts';

const MIB = 1024 * 1024;

test('so many messages fit, and the next waits until one is over', async () => {
  const room = new Room();
  for (let i = 0; i < 2_000; i++) assert.equal(room.take(1), undefined);
  const next = room.take(1);
  assert.ok(next);
  room.free(1);
  await next;
});

test('so many bytes fit, and one message that is larger goes alone', async () => {
  const room = new Room();
  assert.equal(room.take(20 * MIB), undefined);
  const small = room.take(1);
  assert.ok(small);
  room.free(20 * MIB);
  await small;
  const large = room.take(20 * MIB);
  assert.ok(large);
  room.free(1);
  await large;
});

test('whoever waits is not overtaken by what would fit', async () => {
  const room = new Room();
  room.take(7 * MIB);
  const order: string[] = [];
  const large = room.take(5 * MIB)?.then(() => order.push('large'));
  const small = room.take(1)?.then(() => order.push('small'));
  room.free(7 * MIB);
  await Promise.all([large, small]);
  assert.deepEqual(order, ['large', 'small']);
});

test('in any order of coming and going, bounds hold and everybody gets in', async () => {
  const sizes = fc.array(fc.integer({ min: 0, max: 12 * MIB }), { minLength: 1, maxLength: 60 });
  await fc.assert(
    fc.asyncProperty(sizes, async (bytes) => {
      const room = new Room();
      let inside = 0;
      let held = 0;
      await Promise.all(
        bytes.map(async (size) => {
          const wait = room.take(size);
          if (wait !== undefined) await wait;
          inside++;
          held += size;
          assert.ok(inside === 1 || held <= 8 * MIB);
          await new Promise((resolve) => setImmediate(resolve));
          inside--;
          held -= size;
          room.free(size);
        }),
      );
    }),
    { numRuns: 50 },
  );
});
