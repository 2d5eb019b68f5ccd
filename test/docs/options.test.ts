/** Holds the option tables of README.md and those of the code together: names and defaults. */

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { OptionTable } from '../../src/model/option-spec.ts';
import { startFunctionOptions } from '../../src/testing/function-options.ts';
import { isTable } from '../support/is-table.ts';
import * as options from '../support/option-tables.ts';

const readme = readFileSync(join(import.meta.dirname, '../../README.md'), 'utf8');

/** The tables of the code. */
const tables = new Map(
  Object.entries<unknown>({ ...options, startFunctionOptions }).filter((entry): entry is [string, OptionTable] =>
    isTable(entry[1]),
  ),
);

/** A table of README.md, by the name in the comment above it: option to the default as it is written. */
const documented = new Map(
  [...readme.matchAll(/^<!-- options: (\w+) -->\n((?:\|.*\n)+)/gm)].map(([, name = '', rows = '']) => [
    name,
    [...rows.matchAll(/^\| `(\w+)` *\| ([^|]*?) *\|/gm)].map(([, option = '', shown = '']) => [option, shown] as const),
  ]),
);

const written = (value: unknown): string => {
  if (value === undefined) return '–';
  return typeof value === 'string' ? `\`'${value}'\`` : `\`${JSON.stringify(value)}\``;
};

test('every table of the code is in README.md, and every one there is in the code', () => {
  assert.ok(tables.size > 0);
  assert.deepEqual([...documented.keys()].sort(), [...tables.keys()].sort());
});

for (const [name, table] of tables) {
  test(`README.md lists the options of ${name} in order, with their defaults`, () => {
    const inCode = Object.entries(table).map(([option, spec]) => [option, written(spec.fallback)]);
    assert.deepEqual(documented.get(name), inCode);
  });
}

const folder = join(import.meta.dirname, '../../src/model/options');
const sources = [
  ...readdirSync(folder).map((file) => join(folder, file)),
  join(import.meta.dirname, '../../src/testing/function-options.ts'),
].map((file) => readFileSync(file, 'utf8'));

/** The text of a table between its braces. */
function bodyOf(name: string): string {
  for (const text of sources) {
    const [body] = text.split(`\nexport const ${name} = {\n`)[1]?.split('\n} as const;') ?? [];
    if (body !== undefined) return body;
  }
  throw new Error(`${name} is not found in the code`);
}

/** The options that a table states itself, each with the words and the default of the comment above it. */
function commentsOf(name: string): { option: string; words: string; shown: string | undefined }[] {
  const stated = /(?:^ {2}\/\*\*((?:(?!\*\/).)*)\*\/\n)?^ {2}(\w+)[:,]/gms;
  return [...bodyOf(name).matchAll(stated)].map(([, comment = '', option = '']) => {
    const [words = '', shown] = comment.split('@default').map((part) => part.replace(/[\s*]+/g, ' ').trim());
    return { option, words, shown };
  });
}

for (const [name, table] of tables) {
  test(`editors show what each option of ${name} is, with its default`, () => {
    const comments = commentsOf(name);
    assert.ok(comments.length > 0);
    for (const { option, words, shown } of comments) {
      assert.notEqual(words, '', `${name}.${option} has no comment`);
      const fallback = table[option]?.fallback;
      // '' and nothing both mean that there is none, which the words say
      const inCode = fallback === undefined || fallback === '' ? undefined : written(fallback).slice(1, -1);
      assert.equal(shown === "''" ? undefined : shown, inCode, `@default of ${name}.${option}`);
    }
  });
}

test('the idempotency window that README.md states is the one of the code', () => {
  const minutes = options.DEFAULT_IDEMPOTENCY_WINDOW_MS / 60_000;
  assert.match(readme, new RegExp(`\`idempotencyWindowMs\` *\\| – *\\| left out: ${minutes} minutes`));
});
