/** Promises that may be left alone: who looked, and whose failure it is. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { leavable } from '../../src/client/watched.ts';
import { watchProcess } from '../support/process-watch.ts';

const failing = () => leavable(Promise.reject(new Error('ours')));

describe('a failure is missed', () => {
  const cases: readonly (readonly [string, (promise: Promise<unknown>) => unknown])[] = [
    ['when nobody looks', () => {}],
    ['when what was derived is left alone', (promise) => void promise.then(() => 1)],
    ['when it was derived over several steps', (promise) => void promise.then(() => 1).finally(() => {})],
  ];
  for (const [when, use] of cases) {
    test(when, async () => {
      const { rejections } = await watchProcess(async () => {
        const { promise, missed } = failing();
        use(promise);
        assert.equal(await missed, true);
      });
      assert.deepEqual(rejections, []);
    });
  }
});

describe("a failure is the caller's", () => {
  const cases: readonly (readonly [string, (promise: Promise<unknown>) => unknown])[] = [
    ['when it is awaited', (promise) => assert.rejects(async () => promise)],
    ['when it is caught', (promise) => promise.catch(() => {})],
    ['when what was derived is caught', (promise) => promise.then(() => 1).catch(() => {})],
    ['when it is one of several', (promise) => Promise.allSettled([promise])],
  ];
  for (const [when, use] of cases) {
    test(when, async () => {
      const { promise, missed } = failing();
      await use(promise);
      assert.equal(await missed, false);
    });
  }
});

test('what works is not missed', async () => {
  const { promise, missed } = leavable(Promise.resolve(1));
  assert.equal(await missed, false);
  assert.equal(await promise, 1);
});

test('what a callback of the caller throws stays an unhandled rejection', () => {
  const file = join(import.meta.dirname, '../../src/client/watched.ts');
  const script = `import { leavable } from ${JSON.stringify(file)};
    void leavable(Promise.resolve(1)).promise.then(() => { throw new Error('mine'); });`;
  const { status, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
  assert.notEqual(status, 0);
  assert.match(stderr, /Error: mine/);
});
