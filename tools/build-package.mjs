/**
 * Makes dist: each entry of package.json, with what entries share in chunks of its own. So a program without a bundler opens a dozen
 * files in place of a hundred, and both forms keep what is shared (sessions, classes of errors) once.
 */

import { readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { build } from 'esbuild';
import { plainMembers } from './plain-members.mjs';
import { sourceCondition } from './source.mjs';

const common = { platform: 'node', target: 'node22', sourcemap: true, sourcesContent: false, logLevel: 'warning' };

/** @param job as steps have it @returns an exit code */
export async function makeDist(job) {
  const { top } = job;
  const dist = path.join(top, 'dist');
  await rm(dist, { recursive: true, force: true });
  await build({
    ...common,
    ...plainMembers(),
    absWorkingDir: top,
    entryPoints: await entriesOf(top),
    outbase: 'src',
    outdir: 'dist/esm',
    format: 'esm',
    bundle: true,
    splitting: true,
    chunkNames: 'chunks/[hash]',
    packages: 'external',
    conditions: [sourceCondition],
  });
  // the same files in the other form
  await build({
    ...common,
    absWorkingDir: top,
    entryPoints: ['dist/esm/**/*.js'],
    outbase: 'dist/esm',
    outdir: 'dist/cjs',
    format: 'cjs',
    supported: { 'dynamic-import': false },
  });
  await writeFile(path.join(dist, 'cjs', 'package.json'), '{ "type": "commonjs" }\n'); // the package itself is ESM
  for (const format of ['esm', 'cjs']) {
    const code = await job.tool('tsc', ['-p', `tsconfig.${format}.json`]);
    if (code !== 0) return code;
  }
  return 0;
}

/** What users may import, and the program. */
async function entriesOf(top) {
  const { exports: entries } = JSON.parse(await readFile(path.join(top, 'package.json'), 'utf8'));
  const sources = Object.values(entries).map((entry) => entry[sourceCondition]);
  return [...sources.filter((source) => source !== undefined), 'src/cli/bin.ts'];
}
