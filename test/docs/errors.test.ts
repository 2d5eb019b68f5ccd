/** Holds docs/errors.md and the list of codes together: neither may know a code that the other does not. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { statusByCode } from '../../src/lambda/api-status.ts';
import { errorCodes } from '../../src/model/errors.ts';

const page = readFileSync(new URL('../../docs/errors.md', import.meta.url), 'utf8');

/** Text of each section whose heading is a code. */
const sections = new Map(
  page
    .split(/^(?=#{2,3} )/m)
    .map((section) => [/^### ([A-Z_]+)$/m.exec(section)?.[1], section] as const)
    .filter((entry): entry is [string, string] => entry[0] !== undefined),
);

test('every code has a section, and every section a code', () => {
  assert.deepEqual([...sections.keys()].sort(), Object.keys(errorCodes).sort());
});

test('no code has two sections', () => {
  const headings = [...page.matchAll(/^### (\S+)$/gm)].map((match) => match[1]);
  assert.equal(new Set(headings).size, headings.length);
});

for (const [code, retryable] of Object.entries(errorCodes)) {
  test(`the section of ${code} tells its retryable flag, what happened, what it means and what to do`, () => {
    const section = sections.get(code) ?? '';
    assert.equal(/^Retryable: (yes|no)\b/m.exec(section)?.[1], retryable ? 'yes' : 'no');
    for (const part of ['What happened', 'For the message', 'What to do']) {
      assert.match(section, new RegExp(`^- \\*\\*${part}\\*\\*: \\S`, 'm'));
    }
  });
}

test('the table of statuses that produceHandler answers agrees with the code; what it does not list is a 500', () => {
  const listed: Record<string, number> = {};
  for (const [, status, codes = ''] of page.matchAll(/^\| (\d{3}) *\| [^|]* \|([^|]*)\|$/gm)) {
    for (const [, code = ''] of codes.matchAll(/`([A-Z_]+)`/g)) listed[code] = Number(status);
  }
  const inCode = Object.entries(statusByCode).filter(([, status]) => status !== 500);
  assert.deepEqual(listed, Object.fromEntries(inCode));
});
