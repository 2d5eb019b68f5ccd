/** Round trips as the slope between two delays: what a function takes longer over a longer path. */

import path from 'node:path';
import { type Bundle, bundle } from '../support/bundle.ts';
import { openMemphisScene } from '../support/memphis-scene.ts';
import { openPath } from '../support/path.ts';
import { type ColdSample, runCold } from '../support/run-cold.ts';
import { openScene, type Scene } from '../support/scene.ts';
import type { Variant } from './variants.ts';

export type Role = 'consumer' | 'producer';
const BATCH = 10;

/** Runs functions over slow paths. */
export interface Runner extends AsyncDisposable {
  readonly version: string;
  /** Once, in a process of its own, over a path of this length (ms, one way). */
  run(variant: Variant, role: Role, delayMs: number): Promise<ColdSample>;
}

/**
 * @param variants those that will be run
 * @param memphisUrl a Memphis broker that runs, in place of the stand-in
 */
export async function makeRunner(
  variants: readonly Variant[],
  { log, memphisUrl }: { readonly log?: (line: string) => void; readonly memphisUrl?: string } = {},
): Promise<Runner> {
  const scenes = new Map<string, Scene>();
  const bundles = new Map<string, Bundle>();
  for (const { access, subject } of variants) {
    const scene =
      scenes.get(access) ??
      (await (access === 'memphis' || access === 'memphis-anew'
        ? openMemphisScene(memphisUrl)
        : openScene({ access, ...(log && { log }) })));
    scenes.set(access, scene);
    const known = variants.filter((variant) => variant.access === access).map((variant) => variant.subject);
    await scene.clear([...new Set(known)]);
    for (const role of ['consumer', 'producer'] as const) {
      const name = `${subject.name}-${role}`;
      if (!bundles.has(name)) bundles.set(name, await bundle(subject[role], path.join(scene.folder, `${name}.cjs`)));
    }
  }
  const [first] = scenes.values();
  if (first === undefined) throw new Error('There is nothing to run.');
  const host = (await bundle('hosts/cold.ts', path.join(first.folder, 'cold.cjs'))).file;

  return {
    version: first.broker.version,
    async run({ subject, access, env = {}, isNewGroup = false }, role, delayMs) {
      const scene = scenes.get(access);
      const file = bundles.get(`${subject.name}-${role}`)?.file;
      if (scene === undefined || file === undefined) throw new Error('This variant was not announced.');
      if (role === 'consumer') {
        await scene.fill(BATCH);
        if (isNewGroup) await scene.dropDurable(subject.name);
      }
      await using way = await openPath(scene.broker.port, delayMs);
      const all = { ...scene.env(subject, way.url), ...env };
      return await runCold({
        args: [host, file],
        env: Object.fromEntries(Object.entries(all).filter(([, value]) => value !== '')),
        expected: role === 'consumer' ? BATCH : undefined,
      });
    },
    async [Symbol.asyncDispose]() {
      for (const scene of scenes.values()) await scene[Symbol.asyncDispose]();
    },
  };
}

/** @param ms what it took over paths of these lengths (ms, one way) */
export function roundTrips(ms: readonly [short: number, long: number], delays: readonly [number, number]): number {
  return (ms[1] - ms[0]) / (2 * (delays[1] - delays[0]));
}
