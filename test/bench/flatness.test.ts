/** Whether growth is told from noise. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { judge } from '../../bench/soak/flatness.ts';
import { spreadOf } from '../../bench/support/stats.ts';

const at = (heapMb: number, rssMb = 100, handles = 3) => ({ heapMb, rssMb, handles });
const series = (length: number, read: (index: number) => number) => Array.from({ length }, (_, i) => at(read(i)));

test('what goes up and down is flat', () => {
  assert.deepEqual(judge(series(60, (index) => 15 + (index % 3)))?.problems, []);
});

test('what grows at the very beginning only is flat', () => {
  assert.deepEqual(judge(series(60, (index) => (index < 8 ? 5 + index : 15)))?.problems, []);
});

test('what grows all the time is a leak', () => {
  assert.deepEqual(judge(series(60, (index) => 15 + index / 4))?.problems, ['the heap (MB) grew from 19.3 to 27.8']);
});

test('sockets and timers that are left behind are a leak', () => {
  const weights = Array.from({ length: 60 }, (_, index) => at(15, 100, 3 + Math.floor(index / 10)));
  assert.deepEqual(judge(weights)?.problems, ['sockets and timers grew from 4.0 to 8.0']);
});

test('a few samples say nothing', () => {
  assert.equal(judge(series(6, () => 15)), undefined);
});

test('medians and quartiles lie between neighbours', () => {
  assert.deepEqual(spreadOf([4, 1, 3, 2]), { median: 2.5, low: 1.75, high: 3.25 });
  assert.deepEqual(spreadOf([7]), { median: 7, low: 7, high: 7 });
  assert.equal(spreadOf([]), undefined);
});
