/** What handlers throw, return and hand to settle methods, of every kind: an outcome for each message, nothing left open. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect } from 'node:util';
import fc from 'fast-check';
import { each } from '../../src/batch/each.ts';
import { type BatchHandler, runBatch } from '../../src/batch/run-batch.ts';
import { parseResponseText } from '../../src/envelope/response.ts';
import { DeadLetter, type Message, RetryLater, withMemphis } from '../../src/lambda/index.ts';
import { isMemphisError } from '../../src/model/errors.ts';
import type { Outcome } from '../../src/model/outcome.ts';
import { makeContext, makeEvent } from '../../src/testing/index.ts';
import { makeBatch } from '../batch/make-batch.ts';
import { oddValues } from '../support/odd-values.ts';

const options = { backoff: { baseMs: 100, maxMs: 1_000 }, workMs: 5_000 };
const idOf = (sequence: number): string => `orders$1:${sequence}`;

/** Runs a handler over three messages; each must end with exactly one outcome that a broker can carry. */
async function outcomesOf(handler: BatchHandler<unknown, undefined>): Promise<readonly Outcome[]> {
  const batch = makeBatch([1, 2, 3]);
  const result = await runBatch(batch, handler, undefined, options);
  assert.equal(result.acked + result.retried + result.deadLettered + result.givenBack, 3);
  const settles = [...batch.settles].sort((a, b) => a.sequence - b.sequence);
  assert.deepEqual(
    settles.map(({ sequence }) => sequence),
    [1, 2, 3],
  );
  for (const { outcome } of settles) {
    if ('reason' in outcome && outcome.reason !== undefined) assert.equal(typeof outcome.reason, 'string');
    if ('delayMs' in outcome && outcome.delayMs !== undefined) assert.ok(outcome.delayMs >= 0);
  }
  for (const { reason } of result.failures) assert.equal(typeof reason, 'string');
  return settles.map(({ outcome }) => outcome);
}

const actions = (outcomes: readonly Outcome[]): string => outcomes.map(({ action }) => action).join(' ');

for (const [kind, value] of oddValues()) {
  test(`a handler that throws ${kind} has all its messages retried`, async () => {
    const thrown = await outcomesOf(() => {
      throw value;
    });
    assert.equal(actions(thrown), 'retry retry retry');
  });
  test(`a handler of single messages that throws ${kind} has that one retried`, async () => {
    const thrown = await outcomesOf(
      each(async (_, { message }) => {
        if (message.sequence === 2) throw value;
      }),
    );
    assert.equal(actions(thrown), 'ack retry ack');
  });
  test(`a handler that returns ${kind} has succeeded, or what it returned cannot be read and all is retried`, async () => {
    const outcomes = await outcomesOf(() => value);
    const isUnreadable = ['a revoked proxy', 'a proxy that answers nothing', 'a thenable that throws'].includes(kind);
    assert.equal(actions(outcomes), isUnreadable ? 'retry retry retry' : 'ack ack ack');
  });
  test(`a list of failures that is, or holds, ${kind} fails the whole batch unless it is empty`, async () => {
    const isNone = value === undefined || value === null;
    const list = await outcomesOf(() => ({ batchItemFailures: value }));
    const isEmptyList = kind === 'an empty list';
    assert.equal(actions(list), isNone || isEmptyList ? 'ack ack ack' : 'retry retry retry');
    assert.equal(actions(await outcomesOf(() => ({ batchItemFailures: [value] }))), 'retry retry retry');
    const item = await outcomesOf(() => ({ batchItemFailures: [{ itemIdentifier: value }] }));
    assert.equal(actions(item), 'retry retry retry');
    for (const field of ['action', 'delayMs', 'reason', 'unseen']) {
      const itemIdentifier = idOf(1);
      const outcomes = await outcomesOf(() => ({ batchItemFailures: [{ itemIdentifier, [field]: value }] }));
      assert.match(actions(outcomes), /^(retry|giveBack) ack ack$|^retry retry retry$/);
    }
  });
  test(`a reason that is ${kind} is kept in words, and not too many`, async (t) => {
    const log = t.mock.method(console, 'error', () => {});
    const letters = await outcomesOf(() => {
      throw new DeadLetter({ reason: value as string });
    });
    assert.equal(actions(letters), 'deadLetter deadLetter deadLetter');
    const settled = await outcomesOf(async (messages) => {
      for (const message of messages) await message.deadLetter(value as string);
    });
    assert.equal(actions(settled), 'deadLetter deadLetter deadLetter');
    const event = makeEvent({ messages: ['a', 'b'] });
    const handler = withMemphis(async ([first]: readonly Message[]) => first?.deadLetter(value as string));
    const answer = parseResponseText(
      JSON.stringify(await handler(event, makeContext())),
      event.messages.map(({ id }) => id),
    );
    assert.ok(answer.ok, 'the poller can read it');
    assert.deepEqual([...answer.failed.keys()], [event.messages[0]?.id]);
    assert.ok(JSON.stringify([...answer.failed.values()]).length < 700);
    assert.ok(String(log.mock.calls[0]?.arguments[0]).length < 700);
  });
  test(`a delay of ${kind} is kept as stated, or refused where it is no delay`, async () => {
    const isDelay = typeof value === 'number' && value >= 0 && Number.isFinite(value);
    await outcomesOf(async (messages) => {
      for (const message of messages) {
        if (isDelay) await message.delay(value);
        else
          assert.throws(
            () => message.delay(value as number),
            (error) => isMemphisError(error, 'INVALID_OPTION'),
          );
      }
    });
    if (isDelay) assert.equal(new RetryLater({ delayMs: value }).delayMs, value);
    else assert.throws(() => new RetryLater({ delayMs: value as number }), RangeError);
  });
  test(`a key that is ${kind} orders, or fails that one message`, async () => {
    const outcomes = await outcomesOf(
      each(async () => {}, { orderedBy: ({ sequence }) => (sequence === 2 ? value : sequence) as number }),
    );
    const isKey = value === null || (typeof value !== 'object' && typeof value !== 'function');
    assert.equal(actions(outcomes), isKey ? 'ack ack ack' : 'ack retry ack');
  });
}

test('a key that cannot be made of a message fails that one message', async () => {
  const seen: number[] = [];
  const outcomes = await outcomesOf(
    each(async (_, { message }) => void seen.push(message.sequence), {
      orderedBy: ({ sequence }) => {
        if (sequence === 2) throw new TypeError('no customer');
        return 'one key';
      },
    }),
  );
  assert.equal(actions(outcomes), 'ack retry ack');
  assert.deepEqual(seen, [1, 3]);
});

test('a RetryLater and a DeadLetter of another copy of this package may hold anything', async () => {
  for (const [, value] of oddValues()) {
    const retry = { [Symbol.for('memphis-serverless.RetryLater')]: true, delayMs: value };
    const letter = { [Symbol.for('memphis-serverless.DeadLetter')]: true, reason: value };
    for (const [thrown, action] of [
      [retry, 'retry'],
      [letter, 'deadLetter'],
    ] as const) {
      const outcomes = await outcomesOf(() => {
        throw thrown;
      });
      assert.equal(actions(outcomes), [action, action, action].join(' '));
    }
  }
});

test('whatever a handler answers, each message ends once', async () => {
  const ids = [1, 2, 3].map((sequence) => idOf(sequence));
  const item = fc.record(
    {
      itemIdentifier: fc.oneof(fc.constantFrom(...ids), fc.anything()),
      action: fc.oneof(fc.constantFrom('retry', 'deadLetter'), fc.anything()),
      delayMs: fc.oneof(fc.double(), fc.anything()),
      reason: fc.oneof(fc.string(), fc.anything()),
      unseen: fc.oneof(fc.boolean(), fc.anything()),
    },
    { requiredKeys: [] },
  );
  const answers = fc.oneof(fc.anything(), fc.record({ batchItemFailures: fc.oneof(fc.array(item), fc.anything()) }));
  await fc.assert(
    fc.asyncProperty(answers, async (answer) => void (await outcomesOf(() => answer))),
    { numRuns: 500 },
  );
});

test('a payload that is no JSON is quoted by nothing that comes of it', async (t) => {
  const secret = 'card 4111111111111111 of Jane';
  const lines: unknown[] = [];
  t.mock.method(console, 'error', (...line: unknown[]) => lines.push(...line));
  for (const payload of [secret, `{"a": ${secret}`, `["${secret}`, '{', '']) {
    const event = makeEvent({ messages: [payload, { id: 2 }] });
    const handler = withMemphis(each((_, { message }) => void message.json()));
    const answer = await handler(event, makeContext());
    const broken = withMemphis(async ([first]: readonly Message[]) => first?.json());
    const error: unknown = await broken(event, makeContext()).then(
      () => assert.fail('it must fail'),
      (thrown: unknown) => thrown,
    );
    assert.ok(error instanceof SyntaxError);
    assert.match(error.message, /^Message orders\$1:1 is not valid JSON/);
    assert.doesNotMatch(inspect([answer, error, lines], { depth: 10 }), /4111|Jane/);
  }
  assert.ok(lines.length > 0);
});
