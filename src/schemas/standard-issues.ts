/** Asks a Standard Schema validator about a value; what it says of the wrong ones is made fit to be sent out. */

import type { SchemaIssue } from '../model/schema-issue.ts';
import type { StandardIssue, StandardResult, StandardSchema } from '../model/standard-schema.ts';

/** What is wrong, and where. Never holds a value of the message. */
export type Issue = SchemaIssue;

/** More are of no use to anybody, and an answer has a size. */
const MAX_ISSUES = 50;
const MAX_MESSAGE_LENGTH = 300;
/** How many values under an issue are looked for in its text. */
const MAX_LEAVES = 1_000;

/** @returns nothing when the value satisfies the schema. Rejects with what the validator throws. */
export async function findIssues(schema: StandardSchema, value: unknown): Promise<Issue[] | undefined> {
  const result = await schema['~standard'].validate(value);
  return toIssues(result, value);
}

/** What a result says is wrong with a value. */
export function toIssues({ issues }: StandardResult<unknown>, value: unknown): Issue[] | undefined {
  return issues?.slice(0, MAX_ISSUES).map((issue) => toIssue(issue, value));
}

function toIssue(issue: StandardIssue, value: unknown): Issue {
  const path = (issue.path ?? []).map((step) => {
    const key = typeof step === 'object' ? step.key : step;
    return typeof key === 'number' ? key : String(key);
  });
  return { path, message: withoutValues(String(issue.message), valueAt(value, path)).slice(0, MAX_MESSAGE_LENGTH) };
}

function valueAt(value: unknown, path: readonly (string | number)[]): unknown {
  let at = value;
  for (const key of path) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, key)) return undefined;
    at = (at as Record<string | number, unknown>)[key];
  }
  return at;
}

/** Validators like to quote what they received; a card number must not come back in an answer that proxies log. */
function withoutValues(message: string, value: unknown): string {
  let text = message;
  for (const leaf of leavesOf(value)) {
    if (typeof leaf === 'string') {
      for (const quoted of [JSON.stringify(leaf), `"${leaf}"`, `'${leaf}'`]) text = text.replaceAll(quoted, '(value)');
      // shorter ones are also syllables of the validator's own words
      if (leaf.length > 3) text = text.replaceAll(leaf, '(value)');
    } else if (typeof leaf === 'number') {
      const digits = String(leaf).replace(/[.+]/g, '\\$&');
      text = text.replace(new RegExp(`(?<![\\w.-])${digits}(?![\\w.])|(?<![\\w.-])${digits}(?=\\.$)`, 'g'), '(value)');
    }
  }
  return text;
}

/** Texts and numbers in a value, at most so many. */
function leavesOf(value: unknown): unknown[] {
  const leaves: unknown[] = [];
  const open: unknown[] = [value];
  for (let seen = 0; open.length > 0 && seen < MAX_LEAVES; seen++) {
    const next = open.pop();
    if (typeof next === 'object' && next !== null) open.push(...Object.values(next).slice(0, MAX_LEAVES));
    else leaves.push(next);
  }
  return leaves;
}
