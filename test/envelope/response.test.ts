import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { parseResponse, parseResponseText, toResponse } from '../../src/envelope/response.ts';
import type { Outcome } from '../../src/model/outcome.ts';

const ids = ['s$1:1', 's$1:2', 's$1:3'];
const item = (fields: object) => ({ batchItemFailures: [fields] });

type Meaning = 'success' | 'failure' | readonly string[];
/** AWS's table for partial batch responses, and what is ours beyond it. */
const table: readonly (readonly [answer: unknown, strict: Meaning, lenient: Meaning])[] = [
  ['', 'success', 'success'],
  [null, 'success', 'success'],
  [undefined, 'success', 'success'],
  [{}, 'success', 'success'],
  [[], 'success', 'success'],
  [{ batchItemFailures: [] }, 'success', 'success'],
  [{ batchItemFailures: null }, 'success', 'success'],
  [item({ itemIdentifier: 's$1:2' }), ['s$1:2'], ['s$1:2']],
  [{ batchItemFailures: [{ itemIdentifier: 's$1:2' }, { itemIdentifier: 's$1:2' }] }, ['s$1:2'], ['s$1:2']],
  [
    { batchItemFailures: [{ itemIdentifier: 's$1:3' }, { itemIdentifier: 's$1:1' }] },
    ['s$1:1', 's$1:3'],
    ['s$1:1', 's$1:3'],
  ],
  [item({ itemIdentifier: '' }), 'failure', 'failure'],
  [item({ itemIdentifier: null }), 'failure', 'failure'],
  [item({}), 'failure', 'failure'],
  [item({ itemIdentifer: 's$1:1' }), 'failure', 'failure'],
  [item({ itemIdentifier: { partition: 's-1', offset: 1 } }), 'failure', 'failure'],
  [item({ itemIdentifier: 's$1:4' }), 'failure', 'failure'],
  [{ batchItemFailures: [{ itemIdentifier: 's$1:1' }, { itemIdentifier: 's$1:4' }] }, 'failure', 'failure'],
  [{ batchItemFailures: ['s$1:1'] }, 'failure', 'failure'],
  [{ batchItemFailures: [null] }, 'failure', 'failure'],
  [{ batchItemFailures: 's$1:1' }, 'failure', 'failure'],
  [{ batchItemFailures: { itemIdentifier: 's$1:1' } }, 'failure', 'failure'],
  [{ batchItemFailures: false }, 'failure', 'failure'],
  [{ ok: true }, 'success', 'success'],
  [7, 'failure', 'success'],
  [0, 'failure', 'success'],
  [true, 'failure', 'success'],
  [false, 'failure', 'success'],
  ['done', 'failure', 'success'],
  [[1, 2], 'failure', 'success'],
  [item({ itemIdentifier: 's$1:1', action: 'drop' }), 'failure', 'failure'],
  [item({ itemIdentifier: 's$1:1', delayMs: -1 }), 'failure', 'failure'],
  [item({ itemIdentifier: 's$1:1', delayMs: '5' }), 'failure', 'failure'],
  [item({ itemIdentifier: 's$1:1', reason: 5 }), 'failure', 'failure'],
  [item({ itemIdentifier: 's$1:1', action: null, delayMs: null, reason: null }), ['s$1:1'], ['s$1:1']],
];

describe('the truth table of partial batch responses', () => {
  for (const [answer, strict, lenient] of table) {
    for (const [isStrict, meaning] of [
      [true, strict],
      [false, lenient],
    ] as const) {
      it(`${isStrict ? 'strictly' : 'of a wrapped handler'}: ${JSON.stringify(answer)} is ${meaning}`, () => {
        const parsed = parseResponse(answer, ids, { strict: isStrict });
        if (meaning === 'failure') assert.ok(!parsed.ok && parsed.problem.length > 10);
        else assert.deepEqual(parsed.ok && [...parsed.failed.keys()].sort(), meaning === 'success' ? [] : [...meaning]);
        // The same as text, as it comes out of an invocation.
        if (isStrict && answer !== undefined) {
          assert.equal(parseResponseText(JSON.stringify(answer), ids).ok, meaning !== 'failure');
        }
      });
    }
  }

  it('fails the batch for text that is not JSON, without quoting it', () => {
    const parsed = parseResponseText('{"secret', ids);
    assert.ok(!parsed.ok && !parsed.problem.includes('secret'));
    assert.ok(parseResponseText('', ids).ok);
  });

  it('names the identifier that is not of this batch, cut to a readable length', () => {
    const parsed = parseResponse(item({ itemIdentifier: 'x'.repeat(5000) }), ids, { strict: true });
    assert.ok(!parsed.ok && parsed.problem.includes('xxx') && parsed.problem.length < 300);
    assert.match(
      (parseResponse(item({ itemIdentifier: 'a:1' }), ids, { strict: false }) as { problem: string }).problem,
      /a:1/,
    );
  });

  it('reads the extended items', () => {
    const parsed = parseResponse(
      {
        batchItemFailures: [
          { itemIdentifier: 's$1:1', action: 'deadLetter' },
          { itemIdentifier: 's$1:2', delayMs: 5, reason: 'busy' },
          { itemIdentifier: 's$1:3', action: 'retry', delayMs: 7, unseen: true },
        ],
      },
      ids,
      { strict: true },
    );
    assert.deepEqual(parsed.ok && [...parsed.failed.values()], [
      { action: 'deadLetter', reason: 'the function gave no reason' },
      { action: 'retry', delayMs: 5, reason: 'busy' },
      { action: 'giveBack', delayMs: 7 },
    ]);
  });
});

const outcomes: fc.Arbitrary<Outcome> = fc.oneof(
  fc.constant<Outcome>({ action: 'ack' }),
  fc.record({ action: fc.constant('retry' as const), delayMs: fc.nat(), reason: fc.string() }),
  fc.record({ action: fc.constant('deadLetter' as const), reason: fc.string() }),
  fc.record({ action: fc.constant('giveBack' as const), delayMs: fc.nat() }),
);

it('carries any outcomes over to the other side', () => {
  fc.assert(
    fc.property(fc.array(outcomes), (generated) => {
      const list = generated.map((outcome) => ({ ...outcome })); // fast-check's have no prototype
      const pairs = list.map((outcome, index) => [`s$1:${index}`, outcome] as const);
      const text = JSON.stringify(toResponse(pairs));
      const parsed = parseResponseText(
        text,
        pairs.map(([id]) => id),
      );
      assert.ok(parsed.ok);
      assert.deepEqual(
        pairs.map(([id]) => parsed.failed.get(id) ?? { action: 'ack' }),
        list,
      );
    }),
  );
});

it('uses only the documented actions', () => {
  const { batchItemFailures } = toResponse([
    ['a', { action: 'giveBack' }],
    ['b', { action: 'ack' }],
  ]);
  assert.deepEqual(batchItemFailures, [
    { itemIdentifier: 'a', action: 'retry', delayMs: 0, reason: 'not started', unseen: true },
  ]);
});

it('survives any answer', () => {
  fc.assert(
    fc.property(fc.anything(), fc.boolean(), (answer, strict) => {
      parseResponse(answer, ids, { strict });
      parseResponse({ batchItemFailures: [answer] }, ids, { strict });
    }),
  );
});
