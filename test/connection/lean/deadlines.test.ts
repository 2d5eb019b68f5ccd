/** Limits of time over a freeze: what came meanwhile is read before anything is late. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Deadlines } from '../../../src/connection/lean/deadlines.ts';
import { Replies } from '../../../src/connection/lean/replies.ts';
import { openPair, standStill } from '../../support/stand-still.ts';

const frame = { subject: '', reply: '', headers: [], status: 0, statusText: '', data: new Uint8Array() };

test('a freeze behind the end of one limit makes no other one late whose answer has come meanwhile', async () => {
  using pair = await openPair();
  const { client, peer } = pair;
  const limits = new Deadlines(() => {});
  const replies = new Replies(limits, () => replies.rest());
  const ends: string[] = [];
  const ask = (name: string, timeoutMs: number): void => {
    const asking = { timeoutMs, read: () => `${name} answered` };
    replies.wait(replies.next(), name, asking).then(
      (word) => ends.push(word),
      () => ends.push(`${name} late`),
    );
  };
  client.once('data', () => {
    replies.take(2, frame);
    endLimit();
    ends.push('limit met');
  });
  setTimeout(() => {
    setImmediate(() => {
      peer.write('answer');
      standStill(1_700);
    });
  }, 10);
  const endLimit = limits.start(1_500, () => ends.push('limit late'));
  ask('a', 20);
  ask('b', 1_500);
  standStill(60); // both timers are due: the first limit is over, and what is done about it comes behind the other timer's work
  await sleep(3_000);
  assert.deepEqual(ends.sort(), ['a late', 'b answered', 'limit met']);
});
