/** Holds the option tables of README.md and those of the code together: names and defaults. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
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

test('the idempotency window that README.md states is the one of the code', () => {
  const minutes = options.DEFAULT_IDEMPOTENCY_WINDOW_MS / 60_000;
  assert.match(readme, new RegExp(`\`idempotencyWindowMs\` *\\| – *\\| left out: ${minutes} minutes`));
});
