/** What is said of schemas that some SDK of Memphis cannot work with, by the table of what was tried. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { limitsOf } from '../../src/client/portability.ts';
import type { SchemaType } from '../../src/model/schema.ts';

const drafts = 'http://json-schema.org/draft-0';
const cases: readonly (readonly [SchemaType, unknown, readonly RegExp[]])[] = [
  ['json', { type: 'object', properties: { id: { type: 'string' } } }, []],
  ['json', { $schema: `${drafts}7/schema#`, properties: { title: { type: 'string' }, odd: {} } }, []],
  ['json', { $schema: `${drafts}6/schema#` }, [/JavaScript .* this dialect/]],
  ['json', { $schema: 'https://json-schema.org/draft/2019-09/schema' }, [/JavaScript .* this dialect/]],
  ['json', { properties: { a: { 'x-own': 1 } } }, [/JavaScript .* keywords/]],
  ['json', { allOf: [{ items: { format: 'email' } }] }, [/Formats are checked by some/]],
  ['json', { $schema: `${drafts}4/schema#`, format: 'email' }, [/JavaScript .* formats/, /Formats/]],
  ['json', { $schema: `${drafts}6/schema#`, format: 'own' }, [/this dialect and formats/, /Formats/]],
  ['json', true, []],
  ['json', { type: ['array', 'string'] }, [/Go SDK reads objects alone/]],
  ['json', { type: ['object', 'null'] }, []],
  [
    'avro',
    {
      type: 'record',
      name: 'R',
      fields: [
        { name: 'a', type: 'string' },
        { name: 'b', type: ['null'] },
      ],
    },
    [],
  ],
  ['avro', { type: 'record', name: 'R', fields: [{ name: 'a', type: { type: 'array', items: 'long' } }] }, [/Go/]],
  ['avro', { type: 'record', name: 'R', fields: [{ name: 'a', type: ['null', 'string'] }] }, [/wrapped/]],
  ['avro', { type: 'map', values: ['null', 'bytes'] }, [/wrapped/, /No SDK/]],
  ['protobuf', 'message M {}', [/Python/]],
  ['graphql', 'type Query { a: Int }', [/Go/]],
];

for (const [type, schema, expected] of cases) {
  test(`${type}: ${JSON.stringify(schema)}`, () => {
    const limits = limitsOf(type, typeof schema === 'string' ? schema : JSON.stringify(schema));
    assert.equal(limits.length, expected.length, limits.join('\n'));
    for (const [index, pattern] of expected.entries()) assert.match(limits[index] ?? '', pattern);
  });
}
