/** Which code of a function runs in its first invocation: V8 compiles that and nothing else, and it takes as long as there is of it. */

import { readFileSync } from 'node:fs';
import { SourceMap } from 'node:module';
import path from 'node:path';
import { bundle } from '../support/bundle.ts';
import { runHost } from '../support/run-host.ts';
import type { Scene } from '../support/scene.ts';
import { ours } from '../support/subjects.ts';

const BATCH = 10;

export type Role = 'consumer' | 'producer';

/** Functions of one file. */
export interface Ran {
  readonly file: string;
  readonly functions: number;
  /** Minified, without the functions within these. */
  readonly bytes: number;
}

interface Range {
  readonly startOffset: number;
  readonly endOffset: number;
  readonly count: number;
}

/** What ran, by file, the largest first; and the regular expressions that were used. */
export interface FirstRun {
  readonly ran: readonly Ran[];
  readonly expressions: readonly string[];
}

export async function measureFirstRun(scene: Scene, role: Role): Promise<FirstRun> {
  const host = (await bundle('hosts/ran.ts', path.join(scene.folder, 'ran.cjs'))).file;
  const { file } = await bundle(ours[role], path.join(scene.folder, `ran-${role}.cjs`), { sourcemap: true });
  if (role === 'consumer') {
    await scene.clear([ours]);
    await scene.fill(BATCH);
  }
  const { answer, ranges, expressions } = await runHost<{
    answer?: { acked?: number };
    ranges: Range[];
    expressions: string[];
  }>([host, file], scene.env(ours));
  if (role === 'consumer' && answer?.acked !== BATCH) {
    throw new Error(`The function did not handle its ${BATCH} messages: ${JSON.stringify(answer)}`);
  }
  const map = new SourceMap(JSON.parse(readFileSync(`${file}.map`, 'utf8')));
  return { ran: byFile(ranges, readFileSync(file, 'utf8'), map), expressions };
}

function byFile(ranges: readonly Range[], text: string, map: SourceMap): readonly Ran[] {
  const own = ownBytes(ranges);
  const files = new Map<string, { functions: number; bytes: number }>();
  for (const [{ startOffset, count, endOffset }, bytes] of own) {
    if (count === 0 || endOffset - startOffset > text.length / 2) continue; // the bundle itself is a function too
    const before = text.slice(0, startOffset);
    const line = before.split('\n').length - 1;
    const entry = map.findEntry(line, startOffset - (before.lastIndexOf('\n') + 1));
    const file =
      'originalSource' in entry ? entry.originalSource.replace(/^.*\/(src|bench)\//, '$1/') : 'of the bundler';
    const known = files.get(file) ?? { functions: 0, bytes: 0 };
    files.set(file, { functions: known.functions + 1, bytes: known.bytes + bytes });
  }
  return [...files].map(([file, ran]) => ({ file, ...ran })).sort((a, b) => b.bytes - a.bytes);
}

/** Of each function, without those that stand in it. */
function ownBytes(ranges: readonly Range[]): ReadonlyMap<Range, number> {
  const own = new Map<Range, number>();
  const open: Range[] = [];
  // an outer one before those within it
  for (const range of ranges.toSorted((a, b) => a.startOffset - b.startOffset || b.endOffset - a.endOffset)) {
    const bytes = range.endOffset - range.startOffset;
    own.set(range, bytes);
    while ((open.at(-1)?.endOffset ?? Number.POSITIVE_INFINITY) <= range.startOffset) open.pop();
    const outer = open.at(-1);
    if (outer !== undefined) own.set(outer, (own.get(outer) ?? 0) - bytes);
    open.push(range);
  }
  return own;
}
