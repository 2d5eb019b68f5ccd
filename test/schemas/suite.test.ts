/** The public test suite of JSON Schema, draft 04. */

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { CompiledSchema } from '../../src/model/schema.ts';
import { jsonCodec } from '../../src/schemas/json.ts';

const folder = join(import.meta.dirname, '../../node_modules/json-schema-test-suite/tests/draft4');

interface Group {
  readonly description: string;
  readonly schema: object;
  readonly tests: readonly { readonly description: string; readonly data: unknown; readonly valid: boolean }[];
}

/** Other documents are not loaded. */
const isRemote = ({ schema }: Group): boolean => /"(\$ref|id)":"http/.test(JSON.stringify(schema));

for (const file of readdirSync(folder).filter((name) => name.endsWith('.json') && name !== 'refRemote.json')) {
  const groups = JSON.parse(readFileSync(join(folder, file), 'utf8')) as Group[];
  test(`${file} of the suite of draft 04`, async () => {
    for (const group of groups.filter((one) => !isRemote(one))) {
      const source = JSON.stringify({ $schema: 'http://json-schema.org/draft-04/schema#', ...group.schema });
      const codec: CompiledSchema = await jsonCodec.compile({ name: 's', type: 'json', version: 1, source });
      for (const { description, data, valid } of group.tests) {
        const read = () => codec.decode(new TextEncoder().encode(JSON.stringify(data)));
        const words = `${group.description}: ${description}`;
        if (valid) assert.doesNotThrow(read, words);
        else assert.throws(read, { code: 'SCHEMA_VIOLATION' }, words);
      }
    }
  });
}
