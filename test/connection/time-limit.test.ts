import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { startTimeLimit } from '../../src/connection/time-limit.ts';
import { openPair, standStill } from '../support/stand-still.ts';

test('an answer that came while the process stood still is not late', async () => {
  using pair = await openPair();
  const { client, peer } = pair;
  const ends: string[] = [];
  const endLimit = startTimeLimit(20, () => ends.push('over'));
  client.once('data', () => {
    ends.push('answer');
    endLimit();
  });
  peer.write('answer');
  standStill(60);
  await sleep(50);
  assert.deepEqual(ends, ['answer']);
});

test('a limit without an answer is over, and an ended one is not', async () => {
  const ends: string[] = [];
  startTimeLimit(5, () => ends.push('over'));
  startTimeLimit(5, () => ends.push('ended'))();
  await sleep(50);
  assert.deepEqual(ends, ['over']);
});
