/** Holds docs/architecture.md and src/telemetry/channels.ts together: names of channels and what they carry. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

const root = join(import.meta.dirname, '../..');
const page = readFileSync(join(root, 'docs/architecture.md'), 'utf8');
const source = readFileSync(join(root, 'src/telemetry/channels.ts'), 'utf8');

/** Channels are types alone, so their names and fields are read off the source. */
const declared = [...source.matchAll(/'(memphis-serverless:[\w-]+)': \{([^}]*)\}/g)].map(
  ([, name = '', body = '']): [string, string[]] => [
    name,
    [...body.matchAll(/readonly (\w+\??):/g)].map(([, field = '']) => field),
  ],
);

const listed = [...page.matchAll(/^\| `(memphis-serverless:[\w-]+)` *\| [^|]* \| ([^|]*) \|$/gm)].map(
  ([, name = '', fields = '']): [string, string[]] => [
    name,
    [...fields.matchAll(/`(\w+\??)`/g)].map(([, field = '']) => field),
  ],
);

test('every channel is declared in a way that this test can read', () => {
  assert.equal(declared.length, [...source.matchAll(/^ {2}'memphis-serverless:/gm)].length);
  assert.ok(declared.length > 0);
  assert.ok(declared.every(([, fields]) => fields.length > 0));
});

test('the page lists every channel with its fields, in order, and no other', () => {
  assert.deepEqual(listed, declared);
});
