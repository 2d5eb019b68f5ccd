/** The public test suite of JSON Schema, draft 04: by the codec, and by precompiled code to the same ends. */

import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { isMemphisError } from '../../src/index.ts';
import type { CompiledSchema } from '../../src/model/schema.ts';
import type { SchemaReader } from '../../src/model/schema-reader.ts';
import { compileSchema } from '../../src/schemas/compile.ts';
import { jsonCodec } from '../../src/schemas/json.ts';

const root = join(import.meta.dirname, '../..');
const folder = join(root, 'node_modules/json-schema-test-suite/tests/draft4');

interface Group {
  readonly description: string;
  readonly schema: object;
  readonly tests: readonly { readonly description: string; readonly data: unknown; readonly valid: boolean }[];
}

/** Other documents are not loaded. */
const isRemote = ({ schema }: Group): boolean => /"(\$ref|id)":"http/.test(JSON.stringify(schema));
const files = readdirSync(folder).filter((name) => name.endsWith('.json') && name !== 'refRemote.json');
const groupsOf = (file: string): Group[] =>
  (JSON.parse(readFileSync(join(folder, file), 'utf8')) as Group[]).filter((one) => !isRemote(one));

const sourceOf = ({ schema }: Group): string =>
  JSON.stringify({ $schema: 'http://json-schema.org/draft-04/schema#', ...schema });
const bytesOf = (data: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(data));

for (const file of files) {
  test(`${file} of the suite of draft 04`, async () => {
    for (const group of groupsOf(file)) {
      const codec: CompiledSchema = await jsonCodec.compile({
        name: 's',
        type: 'json',
        version: 1,
        source: sourceOf(group),
      });
      for (const { description, data, valid } of group.tests) {
        const read = () => codec.decode(bytesOf(data));
        const words = `${group.description}: ${description}`;
        if (valid) assert.doesNotThrow(read, words);
        else assert.throws(read, { code: 'SCHEMA_VIOLATION' }, words);
      }
    }
  });
}

/** All of them as a function's bundle would hold them. */
async function precompile(groups: readonly Group[]): Promise<readonly SchemaReader[]> {
  const place = mkdtempSync(join(tmpdir(), 'memphis-serverless-suite-'));
  try {
    const { outputFiles } = await build({
      stdin: {
        contents: groups.map((_, index) => `export { default as s${index} } from 'suite:${index}';`).join('\n'),
      },
      bundle: true,
      write: false,
      format: 'esm',
      platform: 'node',
      conditions: ['@memphis-serverless/source'],
      absWorkingDir: root,
      banner: { js: "import { createRequire } from 'node:module'; const require = createRequire('/');" },
      logLevel: 'error',
      plugins: [
        {
          name: 'suite',
          setup: (plugin) => {
            plugin.onResolve({ filter: /^suite:/ }, ({ path }) => ({ path: path.slice(6), namespace: 'suite' }));
            plugin.onLoad({ filter: /./, namespace: 'suite' }, async ({ path }) => ({
              contents: await compileSchema({
                name: `s${path}`,
                type: 'json',
                version: 1,
                source: sourceOf(groups[Number(path)] as Group),
              }),
              resolveDir: root,
            }));
          },
        },
      ],
    });
    const file = join(place, 'suite.mjs');
    writeFileSync(file, outputFiles[0]?.contents ?? '');
    const made = (await import(pathToFileURL(file).href)) as Readonly<Record<string, SchemaReader>>;
    return groups.map((_, index) => made[`s${index}`] ?? assert.fail(`s${index}`));
  } finally {
    rmSync(place, { recursive: true });
  }
}

/** Whether it is taken, and else where it is wrong and why. */
function endOf(codec: CompiledSchema, data: unknown): unknown {
  try {
    return { value: codec.decode(bytesOf(data)) };
  } catch (error) {
    assert.ok(isMemphisError(error), String(error));
    return { code: error.code, issues: error.issues };
  }
}

test('precompiled, each ends as by the codec, with the same paths and words', async () => {
  const groups = files.flatMap(groupsOf);
  const readers = await precompile(groups);
  let count = 0;
  for (const [index, group] of groups.entries()) {
    const schema = { name: `s${index}`, type: 'json', version: 1, source: sourceOf(group) };
    const codec = await jsonCodec.compile(schema);
    const precompiled = (await readers[index]?.open(undefined)) ?? assert.fail();
    for (const { description, data } of group.tests) {
      count += 1;
      assert.deepEqual(endOf(precompiled, data), endOf(codec, data), `${group.description}: ${description}`);
    }
  }
  assert.ok(count > 200, `${count}`);
});
