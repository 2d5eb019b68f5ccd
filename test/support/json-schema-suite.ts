/**
 * The public test suite of JSON Schema: draft 04 as an npm package has it, and all drafts where the suite itself lies.
 * `JSON_SCHEMA_SUITE` is its folder `tests`; without it, what `npm test` fetched is taken (`tools/schema-suite.mjs`).
 */

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { natsServerCache } from '../../src/testing/nats-server.ts';

/** Cases of one schema. */
export interface Group {
  /** Without its ending. */
  readonly file: string;
  readonly description: string;
  /** With the draft's `$schema`. */
  readonly source: string;
  readonly tests: readonly { readonly description: string; readonly data: unknown; readonly valid: boolean }[];
}

/** Required cases of one draft. */
export interface Draft {
  readonly title: string;
  readonly name: DraftName;
  readonly groups: readonly Group[];
}

export type DraftName = keyof typeof drafts;

const drafts = {
  draft4: 'http://json-schema.org/draft-04/schema#',
  draft6: 'http://json-schema.org/draft-06/schema#',
  draft7: 'http://json-schema.org/draft-07/schema#',
  'draft2019-09': 'https://json-schema.org/draft/2019-09/schema',
  'draft2020-12': 'https://json-schema.org/draft/2020-12/schema',
} as const;

const npmPackage = join(import.meta.dirname, '../../node_modules/json-schema-test-suite/tests');

/** Draft 04 by the npm package, and the suite's drafts where it is. */
export function readSuite(): readonly Draft[] {
  const folder = suiteFolder();
  const names = Object.keys(drafts) as DraftName[];
  return [
    readDraft(npmPackage, 'draft4', 'draft4 (npm)'),
    ...(folder === undefined ? [] : names.map((name) => readDraft(folder, name, name))),
  ];
}

function suiteFolder(): string | undefined {
  const given = process.env.JSON_SCHEMA_SUITE;
  if (given !== undefined && given !== '') return given;
  const cache = join(dirname(natsServerCache()), 'json-schema-suite');
  const [newest] = existsSync(cache) ? readdirSync(cache).sort().reverse() : [];
  return newest === undefined ? undefined : join(cache, newest);
}

function readDraft(suite: string, name: DraftName, title: string): Draft {
  const folder = join(suite, name);
  const files = readdirSync(folder).filter((file) => file.endsWith('.json'));
  return { title, name, groups: files.flatMap((file) => readGroups(folder, file, drafts[name])) };
}

function readGroups(folder: string, file: string, $schema: string): Group[] {
  const found = JSON.parse(readFileSync(join(folder, file), 'utf8')) as (Group & { readonly schema: unknown })[];
  return found.map(({ description, schema, tests }) => ({
    file: file.replace(/\.json$/, ''),
    description,
    source: JSON.stringify(typeof schema === 'object' ? { $schema, ...schema } : schema),
    tests,
  }));
}
