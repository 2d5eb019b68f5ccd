/** The public test suite of JSON Schema: by the codec, and by precompiled code to the same ends. */

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { isMemphisError } from '../../src/index.ts';
import type { CompiledSchema } from '../../src/model/schema.ts';
import type { SchemaReader } from '../../src/model/schema-reader.ts';
import { compileSchema } from '../../src/schemas/compile.ts';
import { jsonCodec } from '../../src/schemas/json.ts';
import { whyOtherwise, whyRefused } from '../support/json-schema-differences.ts';
import { type Draft, type Group, readSuite } from '../support/json-schema-suite.ts';

const root = join(import.meta.dirname, '../..');
const bytesOf = (data: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(data));

const drafts = readSuite();
if (drafts.length === 1) {
  test('the suite beyond draft 04', { skip: 'it is not here: JSON_SCHEMA_SUITE may name its folder `tests`' });
}

/** Those groups of a draft that compile; the others are known. */
async function compileAll({ name, groups }: Draft): Promise<Map<Group, CompiledSchema>> {
  const made = new Map<Group, CompiledSchema>();
  for (const group of groups) {
    const { file, description, source } = group;
    try {
      made.set(group, await jsonCodec.compile({ name: 's', type: 'json', version: 1, source }));
    } catch (error) {
      const words = `${file}: ${description}: ${(error as Error).message}`;
      assert.ok(whyRefused(name, file, description) !== undefined, words);
    }
  }
  return made;
}

for (const draft of drafts) {
  describe(`the suite of JSON Schema, ${draft.title}`, () => {
    test('by the codec each case ends as it says, but for those whose reason is known', async (t) => {
      const count = { asItSays: 0, otherwise: 0 };
      for (const [{ file, description, tests }, codec] of await compileAll(draft)) {
        for (const { description: its, data, valid } of tests) {
          const end = endOf(codec, data);
          assert.ok(end.code === undefined || end.code === 'SCHEMA_VIOLATION', `${file}: ${description}: ${end.code}`);
          const isListed = whyOtherwise(draft.name, file, description, its, valid) !== undefined;
          const words = `${file}: ${description}: ${its} ${isListed ? 'is listed as ending otherwise' : ''}`;
          assert.equal((end.code === undefined) === valid, !isListed, words);
          count[isListed ? 'otherwise' : 'asItSays'] += 1;
        }
      }
      t.diagnostic(`${draft.title}: ${count.asItSays} as the suite says, ${count.otherwise} otherwise`);
      assert.ok(count.asItSays > 200, `${count.asItSays}`);
    });

    test('precompiled, each ends as by the codec, with the same paths and words', async () => {
      const codecs = await compileAll(draft);
      const readers = await precompile([...codecs.keys()]);
      for (const [{ file, description, tests }, codec] of codecs) {
        const reader = await readers.shift()?.open(undefined);
        assert.ok(reader !== undefined);
        for (const { description: its, data } of tests) {
          assert.deepEqual(endOf(reader, data), endOf(codec, data), `${file}: ${description}: ${its}`);
        }
      }
    });
  });
}

/** All of them as a function's bundle would hold them. */
async function precompile(groups: readonly Group[]): Promise<SchemaReader[]> {
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
                source: groups[Number(path)]?.source ?? assert.fail(path),
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
function endOf(codec: CompiledSchema, data: unknown): { value?: unknown; code?: string; issues?: unknown } {
  try {
    return { value: codec.decode(bytesOf(data)) };
  } catch (error) {
    assert.ok(isMemphisError(error), String(error));
    return { code: error.code, issues: error.issues };
  }
}
