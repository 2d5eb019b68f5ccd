/** Who waits for which answer, in whatever order answers come. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Deadlines } from '../../../src/connection/lean/deadlines.ts';
import { Replies } from '../../../src/connection/lean/replies.ts';
import { isMemphisError } from '../../../src/model/errors.ts';

const frame = { subject: '', reply: '', headers: [], status: 0, statusText: '', data: new Uint8Array() };

/** Waits whose answers are their own numbers. */
function open() {
  const replies = new Replies(new Deadlines(() => {}), () => replies.rest());
  const ends = new Map<number, unknown>();
  const ask = (subject: string, timeoutMs = 60_000): number => {
    const number = replies.next();
    replies.wait(number, subject, { timeoutMs, headers: '', read: () => number }).then(
      (value) => ends.set(number, value),
      (error: unknown) => ends.set(number, error),
    );
    return number;
  };
  return { replies, ends, ask };
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('each answer finds its own wait, late ones none, and numbers that were never waited for do no harm', async () => {
  const step = fc.oneof(
    { weight: 6, arbitrary: fc.record({ do: fc.constant('ask' as const), of: fc.constantFrom('a', 'b') }) },
    { weight: 5, arbitrary: fc.record({ do: fc.constant('answer' as const), which: fc.nat() }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('skip' as const) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('fail' as const), of: fc.constantFrom('a', 'b') }) },
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 200 }), async (steps) => {
      const { replies, ends, ask } = open();
      const model = new Map<number, string>();
      const expected = new Map<number, unknown>();
      const denied = new Error('denied');
      for (const one of steps) {
        if (one.do === 'ask') model.set(ask(one.of), one.of);
        if (one.do === 'skip') replies.next();
        if (one.do === 'answer' && model.size > 0) {
          const number = [...model.keys()][one.which % model.size] as number;
          replies.take(number, frame);
          replies.take(number, frame); // comes twice: the second one meets nobody
          expected.set(number, number);
          model.delete(number);
        }
        if (one.do !== 'fail') continue;
        replies.fail(denied, ({ subject }) => subject === one.of);
        for (const [number, subject] of model) if (subject === one.of) expected.set(number, denied);
        for (const [number, end] of expected) if (end === denied) model.delete(number);
      }
      assert.deepEqual(replies.open, [...model.keys()]);
      replies.fail(denied);
      for (const number of model.keys()) expected.set(number, denied);
      await settled();
      assert.deepEqual(new Map([...ends].sort(([a], [b]) => a - b)), new Map([...expected].sort(([a], [b]) => a - b)));
    }),
  );
});

test('one that waits long holds up nobody behind it, however many come and go', async () => {
  const { replies, ends, ask } = open();
  const first = ask('slow');
  for (let round = 0; round < 5_000; round++) replies.take(ask('quick'), frame);
  replies.take(first, frame);
  const last = ask('quick');
  for (let round = 0; round < 5_000; round++) replies.take(ask('quick'), frame);
  assert.deepEqual(replies.open, [last]);
  replies.take(last, frame);
  await settled();
  assert.equal(ends.size, 10_002);
  for (const [number, value] of ends) assert.equal(value, number);
});

test('what is not answered in its time fails alone', async () => {
  const { replies, ends, ask } = open();
  const late = ask('a', 20);
  const other = ask('b');
  await new Promise((resolve) => setTimeout(resolve, 200));
  assert.ok(isMemphisError(ends.get(late), 'TIMEOUT'));
  assert.deepEqual(replies.open, [other]);
  replies.take(other, frame);
  await settled();
  assert.equal(ends.get(other), other);
});

test('a refusal that does not say of what meets those that stay without an answer, when no more are left than were refused', async () => {
  const { replies, ends, ask } = open();
  const denied = new Error('denied');
  const slow = ask('slow');
  const refused = [ask('a'), ask('a')];
  replies.failOne(denied);
  replies.failOne(denied);
  const later = ask('later');
  await new Promise((resolve) => setTimeout(resolve, 400));
  assert.deepEqual(replies.open, [slow, ...refused, later], 'one of three is only slow');
  replies.take(slow, frame);
  await new Promise((resolve) => setTimeout(resolve, 400));
  for (const number of refused) assert.equal(ends.get(number), denied);
  assert.deepEqual(replies.open, [later]);
});

test('of what may have been refused the first whose time is over was, and the others are waited for', async () => {
  const { replies, ends, ask } = open();
  const denied = new Error('denied');
  const slow = ask('slow');
  const refused = ask('a', 100);
  replies.failOne(denied);
  await new Promise((resolve) => setTimeout(resolve, 800));
  assert.equal(ends.get(refused), denied);
  replies.take(slow, frame);
  await settled();
  assert.equal(ends.get(slow), slow);
});

test('of several that are silent no more were refused than was said, and what is refused later is still told', async () => {
  const { replies, ends, ask } = open();
  const denied = new Error('denied');
  const both = [ask('a', 50), ask('b', 50)];
  replies.failOne(denied);
  await new Promise((resolve) => setTimeout(resolve, 200));
  assert.equal(ends.get(both[0] ?? 0), denied);
  assert.ok(isMemphisError(ends.get(both[1] ?? 0), 'TIMEOUT'));
  const next = ask('c');
  replies.failOne(denied);
  await new Promise((resolve) => setTimeout(resolve, 700));
  assert.equal(ends.get(next), denied);
});

test('a refusal while nothing is waited for is none of what is asked behind it', async () => {
  const { replies, ends, ask } = open();
  const denied = new Error('denied');
  replies.failOne(denied);
  const slow = ask('slow');
  const refused = ask('a');
  replies.failOne(denied);
  await new Promise((resolve) => setTimeout(resolve, 400));
  replies.take(slow, frame);
  await settled();
  assert.equal(ends.get(slow), slow);
  await new Promise((resolve) => setTimeout(resolve, 400));
  assert.equal(ends.get(refused), denied);
});
