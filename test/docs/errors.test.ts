/** Holds docs/errors.md and the list of codes together: neither may know a code that the other does not. */

import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
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
  assert.deepEqual(listed, statusByCode);
});

const root = join(import.meta.dirname, '../..');
const texts = (pattern: string): ReadonlyMap<string, string> =>
  new Map(globSync(pattern, { cwd: root }).map((file) => [file, readFileSync(join(root, file), 'utf8')]));
const isCode = (word: string): boolean => Object.hasOwn(errorCodes, word);

/** Sources but for the two lists, in which each code stands anyway. */
const sources = new Map(
  [...texts('src/**/*.ts')].filter(
    ([file]) => !/errors\.ts$|api-status\.ts$/.test(file) || file.includes('lean') || file.includes('nats'),
  ),
);

test('each code comes of something: there is no code that nothing ends with', () => {
  const named = new Set(
    [...sources.values()].flatMap((text) => [...text.matchAll(/'([A-Z_]+)'/g)].map(([, word]) => word)),
  );
  assert.deepEqual(
    Object.keys(errorCodes).filter((code) => !named.has(code)),
    [],
  );
});

test('each code is provoked by a test', () => {
  const all = [...texts('test/**/*.test.ts')].filter(([file]) => !file.startsWith(join('test', 'docs')));
  const named = new Set(
    all.flatMap(([, text]) => [...text.matchAll(/\b([A-Z]+(?:_[A-Z]+)*)\b/g)].map(([, word]) => word)),
  );
  assert.deepEqual(
    Object.keys(errorCodes).filter((code) => !named.has(code)),
    [],
  );
});

test('each code that a documentation comment names exists, and what throws is named with codes', () => {
  let found = 0;
  for (const [file, text] of texts('src/**/*.ts')) {
    for (const [comment] of text.matchAll(/\/\*\*[\s\S]*?\*\//g)) {
      const tag = /@throws MemphisError([\s\S]*?)(?=\n\s*\*\s*@|\*\/)/.exec(comment)?.[1];
      if (tag === undefined) continue;
      for (const [, code = ''] of tag.matchAll(/`([A-Z][A-Z_]+)`/g)) {
        assert.ok(isCode(code), `${file}: @throws names ${code}`);
        found++;
      }
    }
  }
  assert.ok(found > 100);
});

test('each code that the documents name exists', () => {
  const others =
    /^(MEMPHIS|NATS|AWS|LAMBDA|NODE|HTTP|SIG|DURABLE|CONSUMER|STREAM|MSG|KV|JS|API|INFO|XDG|JSON|PROTOBUF)(_|$)/;
  for (const [file, text] of texts('{README,CHANGELOG,CONTRIBUTING,docs/*,docs/decisions/*}.md')) {
    for (const [, word = ''] of text.matchAll(/`([A-Z]+(?:_[A-Z]+)+)`/g)) {
      assert.ok(isCode(word) || others.test(word), `${file} names ${word}`);
    }
  }
});
