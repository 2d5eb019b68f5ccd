import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UnderWay } from '../../src/lambda/under-way.ts';
import { watchProcess } from '../support/process-watch.ts';

const make = (late: unknown[] = []): UnderWay =>
  new UnderWay(
    () => new Error('over'),
    (error) => late.push(error),
  );
const failing = async (): Promise<never> => {
  await Promise.resolve();
  throw new Error('failed');
};
const texts = (errors: readonly unknown[]): string[] => errors.map((error) => (error as Error).message);

test('the end waits for what is under way, and for what that starts', async () => {
  const underWay = make();
  const gate = Promise.withResolvers<void>();
  const done: string[] = [];
  const first = underWay.run(() => gate.promise);
  void first.then(() => underWay.run(async () => done.push('second')));
  const end = underWay.end();
  gate.resolve();
  assert.deepEqual(await end, []);
  assert.deepEqual(done, ['second']);
});

/** How a handler may treat a failing promise, and whether it has looked at the failure. */
const treatments: readonly [string, boolean, (promise: Promise<unknown>) => unknown][] = [
  ['leaves it alone', false, () => {}],
  ['hangs a then on it and leaves that alone', false, (promise) => void promise.then(() => 'next')],
  ['hangs a finally on it and leaves that alone', false, (promise) => void promise.finally(() => {})],
  [
    'awaits and catches it',
    true,
    async (promise) => {
      try {
        await promise;
      } catch {
        // having looked at the failure is all that this handler does
      }
    },
  ],
  ['catches it without awaiting', true, (promise) => void promise.catch(() => {})],
  ['catches behind a then', true, (promise) => void promise.then(() => {}).catch(() => {})],
  ['awaits it among others', true, (promise) => Promise.allSettled([promise])],
  [
    'awaits it later',
    true,
    async (promise) => {
      for (let i = 0; i < 3; i++) await new Promise((resolve) => setImmediate(resolve));
      await promise.catch(() => {});
    },
  ],
];

for (const [what, isSeen, treat] of treatments) {
  test(`a failure that a handler ${what} is ${isSeen ? 'its own business' : 'handed over at the end'}`, async () => {
    const { result, rejections } = await watchProcess(async () => {
      const underWay = make();
      await treat(underWay.run(failing));
      return await underWay.end();
    });
    assert.deepEqual(texts(result), isSeen ? [] : ['failed']);
    assert.deepEqual(rejections, []);
  });
}

test('a then hung on a failed promise at the very last is handed over as well', async () => {
  const { result, rejections } = await watchProcess(async () => {
    const underWay = make();
    const promise = underWay.run(failing);
    await promise.catch(() => {});
    void promise.then(() => 'next');
    return await underWay.end();
  });
  assert.deepEqual([texts(result), rejections], [['failed'], []]);
});

test('what is started after the end does not run, rejects, and is told when nobody looks', async () => {
  const late: unknown[] = [];
  let ran = false;
  const { rejections } = await watchProcess(async () => {
    const underWay = make(late);
    await underWay.end();
    void underWay.run(async () => {
      ran = true;
    });
    await assert.rejects(
      underWay.run(async () => {}),
      /over/,
    );
  });
  assert.equal(ran, false);
  assert.deepEqual(texts(late), ['over']);
  assert.deepEqual(rejections, []);
});

test('a value comes through unchanged', async () => {
  assert.equal(await make().run(async () => 7), 7);
});
