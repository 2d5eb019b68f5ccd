import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import * as v from 'valibot';
import type { StandardSchema } from '../../src/model/standard-schema.ts';
import { findIssues } from '../../src/schemas/standard-issues.ts';

const order: StandardSchema = v.object({
  id: v.string(),
  customer: v.pipe(v.string(), v.email()),
  amountCents: v.pipe(v.number(), v.minValue(1)),
  lines: v.optional(v.array(v.object({ sku: v.string() }))),
});

/** A validator that says what a test wants it to say. */
const saying = (...issues: { message: string; path?: (PropertyKey | { key: PropertyKey })[] }[]): StandardSchema => ({
  '~standard': { version: 1, vendor: 'test', validate: () => ({ issues }) },
});

test('a value that satisfies its schema has no issues', async () => {
  assert.equal(await findIssues(order, { id: 'a', customer: 'a@b.eu', amountCents: 1 }), undefined);
});

test('issues name the place of what is wrong', async () => {
  const issues = await findIssues(order, { id: 1, customer: 'a@b.eu', amountCents: 1, lines: [{ sku: 'a' }, {}] });
  assert.deepEqual(
    issues?.map(({ path }) => path),
    [['id'], ['lines', 1, 'sku']],
  );
});

test('an asynchronous validator is awaited', async () => {
  const schema = v.pipeAsync(
    v.string(),
    v.checkAsync(async () => false, 'taken'),
  );
  assert.deepEqual(await findIssues(schema, 'name'), [{ path: [], message: 'taken' }]);
});

test('steps of a path may be keys or objects that hold one', async () => {
  const issues = await findIssues(saying({ message: 'wrong', path: ['a', { key: 0 }, Symbol('s')] }), {});
  assert.deepEqual(issues?.[0]?.path, ['a', 0, 'Symbol(s)']);
});

test('a message that quotes what it received is sent without it', async () => {
  const issues = await findIssues(order, { id: 4111111111111111, customer: 'my-secret', amountCents: -42 });
  const text = JSON.stringify(issues);
  assert.equal(issues?.length, 3);
  assert.doesNotMatch(text, /4111|my-secret|42/);
  assert.match(issues?.[2]?.message ?? '', />=1\b/);
});

test('values below the place of an issue are not quoted either', async () => {
  const issues = await findIssues(saying({ message: 'was {"card":"tok_12345"} and 99.5.' }), {
    card: 'tok_12345',
    n: 99.5,
  });
  assert.equal(issues?.[0]?.message, 'was {"card":(value)} and (value).');
});

test('no text of a value comes back, whatever a validator quotes', async () => {
  await fc.assert(
    fc.asyncProperty(fc.string({ minLength: 4 }), async (secret) => {
      const [issue] = (await findIssues(saying({ message: `received ${secret}!`, path: ['a'] }), { a: secret })) ?? [];
      assert.equal(issue?.message.startsWith('received (value)') || 'received (value)!'.includes(secret), true);
    }),
  );
});

test('an answer has a bounded number of issues of bounded length', async () => {
  const many = Array.from({ length: 500 }, () => ({ message: 'x'.repeat(10_000) }));
  const issues = (await findIssues(saying(...many), {})) ?? [];
  assert.ok(issues.length <= 50 && issues.every(({ message }) => message.length <= 300));
});
