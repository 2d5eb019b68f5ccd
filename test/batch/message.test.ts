import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { inspect } from 'node:util';
import { Ledger } from '../../src/batch/ledger.ts';
import { decidedOutcome } from '../../src/batch/message.ts';
import { isMemphisError } from '../../src/model/errors.ts';
import type { Message } from '../../src/model/message.ts';
import { makeBatch } from './make-batch.ts';

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);
const first = <T = unknown>(batch: ReturnType<typeof makeBatch>): Message<T> =>
  new Ledger<T>(batch).messages[0] as Message<T>;

describe('the value of a message', () => {
  const cases: readonly (readonly [what: string, data: Uint8Array, value: unknown])[] = [
    ['an object', new TextEncoder().encode('{"id":1}'), { id: 1 }],
    ['a number', new TextEncoder().encode('42'), 42],
    ['text that is no JSON', new TextEncoder().encode('grüß dich'), 'grüß dich'],
    ['nothing', bytes(), ''],
    ['text with a byte order mark', bytes(0xef, 0xbb, 0xbf, 0x31), '\uFEFF1'],
    ['bytes that are no UTF-8', bytes(0xff, 0xfe, 0x00), bytes(0xff, 0xfe, 0x00)],
  ];
  for (const [what, data, value] of cases) {
    it(`is right for ${what}`, () => {
      assert.deepEqual(first(makeBatch([data])).value(), value);
    });
  }

  it('reads only its own part of a larger buffer', () => {
    const whole = new TextEncoder().encode('xx{"a":1}yy');
    const message = first<{ a: number }>(makeBatch([whole.subarray(2, 9)]));
    assert.equal(message.text(), '{"a":1}');
    assert.equal(message.json().a, 1);
    assert.equal(message.value().a, 1);
  });

  it('has the fields of the stored message', () => {
    const batch = makeBatch([1], { details: () => ({ headers: { a: 'b' }, partitionKey: 'k' }) });
    const message = first(batch);
    assert.equal(message.id, 'orders$1:1');
    assert.equal(message.headers.a, 'b');
    assert.equal(message.partitionKey, 'k');
  });

  it('shows its fields in JSON and in logs, and what an absent key is, not at all', () => {
    const [with_, without] = new Ledger(
      makeBatch([1, 2], { details: (index) => (index === 0 ? { partitionKey: 'k' } : {}) }),
    ).messages;
    const shown = JSON.parse(JSON.stringify(with_)) as Record<string, unknown>;
    assert.deepEqual([shown.id, shown.sequence, shown.partitionKey], ['orders$1:1', 1, 'k']);
    assert.match(inspect(with_), /id: 'orders\$1:1'.*sequence: 1/s);
    assert.doesNotMatch(inspect(without), /partitionKey/);
  });
});

describe('settling a message', () => {
  it('settles at once and resolves when that is confirmed', async () => {
    const confirmed = Promise.withResolvers<'acked'>();
    const batch = makeBatch([1], { settle: () => confirmed.promise });
    const message = first(batch);
    let resolved = false;
    const ack = message.ack().then(() => {
      resolved = true;
    });
    assert.equal(batch.settles.length, 1);
    await turn();
    assert.equal(resolved, false);
    confirmed.resolve('acked');
    await ack;
    assert.equal(resolved, true);
  });

  it('returns the same promise for the same decision and refuses another', async () => {
    const batch = makeBatch([1]);
    const message = first(batch);
    const delayed = message.delay(5);
    assert.equal(message.delay(5), delayed);
    for (const other of [
      () => message.ack(),
      () => message.delay(6),
      () => message.nack(),
      () => message.deadLetter('x'),
    ]) {
      await assert.rejects(other(), (error) => isMemphisError(error, 'ALREADY_SETTLED'));
    }
    assert.deepEqual(
      batch.settles.map(({ outcome }) => outcome),
      [{ action: 'retry', delayMs: 5 }],
    );
    assert.deepEqual(decidedOutcome(message), { action: 'retry', delayMs: 5 });
  });

  it('never leaves an unhandled rejection when nobody awaits', async () => {
    const batch = makeBatch([1], { settle: () => Promise.reject(new Error('gone')) });
    const message = first(batch);
    message.ack();
    message.nack();
    await turn();
    assert.equal(batch.settles.length, 1);
  });

  it('throws at once for a delay that is no time', () => {
    const batch = makeBatch([1]);
    const message = first(batch);
    for (const delayMs of [-1, Number.NaN, Number.POSITIVE_INFINITY, '5' as unknown as number]) {
      assert.throws(
        () => message.delay(delayMs),
        (error) => isMemphisError(error, 'INVALID_OPTION'),
      );
    }
    assert.equal(batch.settles.length, 0);
  });

  it('extends while it is undecided and does nothing afterwards', async () => {
    const batch = makeBatch([1, 2]);
    const message = first(batch);
    await message.inProgress();
    await message.inProgress();
    await message.ack();
    await message.inProgress();
    assert.deepEqual(batch.extensions, [[1], [1]]);
  });

  it('counts a settle that throws instead of rejecting as unconfirmed', async () => {
    const ledger = new Ledger(
      makeBatch([1], {
        settle: () => {
          throw new Error('at once');
        },
      }),
    );
    ledger.messages[0]?.ack();
    await assert.rejects(ledger.confirmed(), (error) => isMemphisError(error, 'SETTLE_UNCONFIRMED'));
  });
});
