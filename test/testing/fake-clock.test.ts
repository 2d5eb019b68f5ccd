import assert from 'node:assert/strict';
import { it } from 'node:test';
import { makeFakeClock } from '../../src/testing/index.ts';

it('ends waits in the order of their time, with the time right at each', async () => {
  const clock = makeFakeClock(0);
  const ended: (readonly [string, number])[] = [];
  const wait = async (name: string, ms: number) => {
    await clock.wait(ms);
    ended.push([name, clock.now()]);
  };
  void wait('late', 30);
  void wait('early', 10).then(() => wait('after early', 10));
  await clock.advance(25);
  assert.deepEqual(ended, [
    ['early', 10],
    ['after early', 20],
  ]);
  assert.equal(clock.now(), 25);
  await clock.advance(5);
  assert.deepEqual(ended[2], ['late', 30]);
});

it('ends a wait at its signal', async () => {
  const clock = makeFakeClock();
  const stop = new AbortController();
  const waiting = clock.wait(1000, stop.signal);
  stop.abort();
  await waiting;
  await clock.wait(1000, stop.signal);
});
