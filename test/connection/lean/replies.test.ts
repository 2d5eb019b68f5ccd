/** Answers by number, and one time limit for all that is waited for. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Deadline, Deadlines } from '../../../src/connection/lean/deadlines.ts';
import { Replies } from '../../../src/connection/lean/replies.ts';
import type { Frame } from '../../../src/connection/port.ts';

const frame = (text: string): Frame => ({
  subject: '',
  reply: '',
  headers: [],
  status: 0,
  statusText: '',
  data: new TextEncoder().encode(text),
});
class CountedDeadlines extends Deadlines {
  readonly open = new Set<Deadline>();

  override add(deadline: Deadline): void {
    this.open.add(deadline);
    super.add(deadline);
  }

  override delete(deadline: Deadline): void {
    this.open.delete(deadline);
    super.delete(deadline);
  }
}

/** With a tick's end as a session has it. */
function open(limits: Deadlines = new Deadlines()): Replies {
  const replies: Replies = new Replies(limits, () => process.nextTick(() => replies.rest()));
  return replies;
}
const read = ({ data }: Frame): string => new TextDecoder().decode(data);

test('each answer is handed to the one that waits for its number, once, in any order', async () => {
  const replies = open();
  const numbers = Array.from({ length: 50 }, () => replies.next());
  const answers = numbers.map((number) => replies.wait(number, 's', { timeoutMs: 5_000, read }));
  for (const number of [...numbers].reverse()) {
    replies.take(number, frame(`answer ${number}`));
    replies.take(number, frame('a second one'));
  }
  for (const number of [0, 51, -1, Number.NaN]) replies.take(number, frame('nobody asked'));
  assert.deepEqual(
    await Promise.all(answers),
    numbers.map((number) => `answer ${number}`),
  );
  assert.deepEqual(replies.open, []);
});

test('what reading an answer throws is its failure, and nobody else’s', async () => {
  const replies = open();
  const [bad, good] = [replies.next(), replies.next()];
  const failed = replies.wait(bad, 's', {
    timeoutMs: 5_000,
    read: () => {
      throw new Error('unreadable');
    },
  });
  const answered = replies.wait(good, 's', { timeoutMs: 5_000, read });
  replies.take(bad, frame('x'));
  replies.take(good, frame('y'));
  await assert.rejects(failed, { message: 'unreadable' });
  assert.equal(await answered, 'y');
});

test('each wait ends by its own limit, whatever was set before and after it', async () => {
  const replies = open();
  const ends: number[] = [];
  const waits = [200, 20, 100, 60].map((timeoutMs) =>
    replies.wait(replies.next(), 's', { timeoutMs: timeoutMs, read }).catch((error: { readonly code: string }) => {
      assert.equal(error.code, 'TIMEOUT');
      ends.push(timeoutMs);
    }),
  );
  const kept = replies.next();
  const answer = replies.wait(kept, 's', { timeoutMs: 60_000, read });
  await Promise.all(waits);
  assert.deepEqual(
    ends.sort((a, b) => a - b),
    [20, 60, 100, 200],
  );
  assert.deepEqual(replies.open, [kept]);
  replies.take(kept, frame('in time'));
  assert.equal(await answer, 'in time');
});

test('no time limit is left behind the tick in which the last wait ended', async () => {
  const limits = new CountedDeadlines();
  const replies = open(limits);
  for (let i = 0; i < 3; i++) {
    const [answered, failed] = [replies.next(), replies.next()];
    const ends = [answered, failed].map((number) => replies.wait(number, 's', { timeoutMs: 60_000, read }));
    assert.equal(limits.open.size, 1);
    replies.take(answered, frame('x'));
    replies.fail(new Error('over'));
    await Promise.allSettled(ends);
    await sleep(0);
    assert.equal(limits.open.size, 0);
  }
});

test('a refusal ends what was asked on its subject, or some of it', async () => {
  const replies = open();
  const [a, b, c] = [replies.next(), replies.next(), replies.next()];
  const ends = [
    replies.wait(a, 'denied', { timeoutMs: 5_000, read }),
    replies.wait(b, 'other', { timeoutMs: 5_000, read }),
    replies.wait(c, 'other', { timeoutMs: 5_000, read }),
  ].map((wait) => wait.catch((error: Error) => error.message));
  replies.fail(new Error('no'), { subject: 'denied' });
  replies.fail(new Error('not this'), { numbers: [b, 99] });
  replies.take(c, frame('yes'));
  await sleep(1);
  assert.deepEqual(await Promise.all(ends), ['no', 'not this', 'yes']);
});
