/** Holds README.md, pages of docs and files together: what it quotes is a file that is compiled, and mostly run. */

import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

const root = join(import.meta.dirname, '../..');
const read = (file: string): string => readFileSync(join(root, file), 'utf8');
const readme = read('README.md');

/** Quoted files with the text that stands on a page. */
const quotesOf = (page: string): { file: string; text: string }[] =>
  [...page.matchAll(/^<!-- file: (\S+) -->\n```(?:ts|sh)\n([\s\S]*?)^```$/gm)].map(([, file = '', text = '']) => ({
    file,
    text,
  }));
const quotes = quotesOf(readme);
const others = ['docs/client.md', 'docs/cold-start.md'].map(read);
const snippets = [...quotes, ...others.flatMap(quotesOf)];

test('every snippet of TypeScript is a quoted file', () => {
  for (const page of [readme, ...others]) {
    const quoted = quotesOf(page).filter(({ file }) => file.endsWith('.ts'));
    assert.equal(quoted.length, [...page.matchAll(/^```(?:ts|js|typescript|javascript)$/gm)].length);
    assert.ok(quoted.length > 0);
  }
});

test('every snippet that is there is shown', () => {
  const files = globSync('test/docs/snippets/*', { cwd: root }).map((file) => file.replaceAll('\\', '/'));
  const shown = snippets.map(({ file }) => file);
  const isImported = (file: string): boolean =>
    snippets.some(({ text }) => text.includes(file.split('/').at(-1) ?? ''));
  assert.deepEqual(
    files.filter((file) => !shown.includes(file) && !isImported(file)),
    [],
  );
});

for (const { file, text } of snippets) {
  test(`the documentation quotes ${file} as it is`, () => {
    assert.equal(text, read(file));
  });
}

test('every function of handlers/ is quoted', () => {
  const functions = globSync('handlers/*.ts', { cwd: root }).filter((file) =>
    /^export const handler\b/m.test(read(file)),
  );
  const quoted = quotes.map(({ file }) => file).filter((file) => file.startsWith('handlers/'));
  assert.deepEqual(quoted.sort(), functions.map((file) => file.replaceAll('\\', '/')).sort());
});

test('the first snippet has no more than ten lines', () => {
  const lines = (quotes[0]?.text ?? '').trimEnd().split('\n');
  assert.ok(lines.length <= 10, `${lines.length} lines`);
});

test('every entry of the package is named, and no other', () => {
  const { name, exports } = JSON.parse(read('package.json')) as { name: string; exports: Record<string, unknown> };
  const entries = Object.keys(exports)
    .filter((entry) => entry !== './package.json')
    .map((entry) => name + entry.slice(1));
  const named = [...readme.matchAll(/^\| `(memphis-serverless[^`]*)` *\|/gm)].map((match) => match[1]);
  assert.deepEqual(named.sort(), entries.sort());
});

test('every export of the testing kit is named, and no other', async () => {
  const kit = await import('../../src/testing/index.ts');
  const section = /^## Testing your code$([\s\S]*?)^## /m.exec(readme)?.[1] ?? '';
  const table = /^\| export .*\n((?:\|.*\n)+)/m.exec(section)?.[1] ?? '';
  const named = [...table.matchAll(/^\| `(\w+)` *\|/gm)].map((match) => match[1]);
  assert.deepEqual(named.sort(), Object.keys(kit).sort());
});

for (const page of ['README.md', 'CHANGELOG.md', ...globSync('docs/**/*.md', { cwd: root })]) {
  test(`links of ${page} lead to files and headings that exist`, () => {
    const broken = [...read(page).matchAll(/\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)/g)]
      .map(([, file = '', heading]) => ({ target: file === '' ? page : join(page, '..', file), heading }))
      .filter(({ target, heading }) => !existsSync(join(root, target)) || (heading && !headings(target).has(heading)))
      .map(({ target, heading }) => `${target}#${heading ?? ''}`);
    assert.deepEqual(broken, []);
  });
}

/** Headings of a page in the form in which links name them. */
function headings(page: string): Set<string> {
  const slugs = [...read(page).matchAll(/^#+ (.+)$/gm)].map(([, text = '']) =>
    text
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
  return new Set(slugs);
}
