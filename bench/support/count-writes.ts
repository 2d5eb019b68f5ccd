/** Counts the writes of a function's invocations. */

import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import type { Role } from '../round-trips/measure.ts';
import { bundle } from './bundle.ts';
import type { Scene } from './scene.ts';
import { ours } from './subjects.ts';

const BATCH = 10;

/** What is under way when a write happens depends a little on the moment: the least of so many tries counts. */
const TRIES = 3;

type Writes = readonly [first: number, second: number];

/** What two invocations of a new process did. */
export interface Counts {
  readonly writes: Writes;
  /** Modules of Node that they loaded, beside those of a plain socket. */
  readonly modules: readonly string[];
}

/** @param expected good enough to stop */
export async function countWrites(scene: Scene, role: Role, expected: Writes): Promise<Counts> {
  const host = (await bundle('hosts/writes.ts', path.join(scene.folder, 'writes.cjs'))).file;
  const { file } = await bundle(ours[role], path.join(scene.folder, `writes-${role}.cjs`));
  let modules: readonly string[] = [];
  let least: Writes = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  for (let tries = 0; tries < TRIES && (least[0] > expected[0] || least[1] > expected[1]); tries++) {
    const once = await countOnce(scene, role, [host, file]);
    least = [Math.min(least[0], once.writes[0]), Math.min(least[1], once.writes[1])];
    modules = once.modules;
  }
  return { writes: least, modules };
}

async function countOnce(scene: Scene, role: Role, args: readonly string[]): Promise<Counts> {
  if (role === 'consumer') {
    await scene.clear([ours]);
    await scene.fill(2 * BATCH);
  }
  const { stdout } = await promisify(execFile)(process.execPath, args, { env: scene.env(ours) });
  const { answers, counts, modules } = JSON.parse(stdout) as {
    readonly answers: readonly ({ readonly acked?: number } | undefined)[];
    readonly counts: Writes;
    readonly modules: readonly string[];
  };
  if (role === 'consumer' && answers.some((answer) => answer?.acked !== BATCH)) {
    throw new Error(`The function did not handle its ${BATCH} messages: ${stdout}`);
  }
  return { writes: counts, modules };
}
