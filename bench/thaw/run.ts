/** Thaw: a function is frozen for 3 s while something becomes of its connection, and invoked again. */

import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { memphisUrl } from '../../demo/memphis-view.ts';
import type { Answer, Order } from '../hosts/thaw.ts';
import { type BenchSettings, roundsOf } from '../support/bench.ts';
import { bundle } from '../support/bundle.ts';
import { openMemphisScene } from '../support/memphis-scene.ts';
import { openPath } from '../support/path.ts';
import { describeMachine, type Report } from '../support/report.ts';
import { openScene, type Scene } from '../support/scene.ts';
import { type Contender, memphisContenders, contenders as usualContenders } from './contenders.ts';
import { FrozenFunction } from './environment.ts';
import { fates as allFates, type Fate } from './fates.ts';
import { toTable } from './table.ts';

export type Operation = 'fetch' | 'publish';

export interface ThawSample extends Answer {
  readonly fate: Fate;
  readonly contender: Contender;
  readonly operation: Operation;
  /** Messages that were handed out and are settled by nobody before their time is up. */
  readonly stuck: number;
}

const operations: readonly Operation[] = ['fetch', 'publish'];
const FREEZE_MS = 3_000;
/** One way. */
const DELAY_MS = 1;
const BATCH = 10;
/** Whoever takes longer than this waits for a timer of its own. */
const QUICK_MS = 1_000;
const WARM_LIMIT_MS = 20_000;

export async function benchThaw(settings: BenchSettings): Promise<Report> {
  const isMemphis = settings.broker === 'memphis';
  const contenders = isMemphis ? memphisContenders : usualContenders;
  const fates = allFates.filter(({ isDropped }) => !isMemphis || !isDropped); // that needs a setting of the broker
  await using usual = isMemphis
    ? await openMemphisScene(memphisUrl())
    : await openScene({ log: settings.progress.say });
  await using strict = isMemphis ? undefined : await openScene({ config: 'ping_interval: "1s"\nping_max: 1' });
  const rounds = roundsOf(settings, 3, 1);
  const files = await makeBundles(usual, contenders);
  for (const scene of [usual, ...(strict === undefined ? [] : [strict])]) await scene.fill(2 * BATCH); // every durable is given all of it
  const samples: Promise<ThawSample>[] = [];
  for (let round = 0; round < rounds; round++) {
    for (const [index, fate] of fates.entries()) {
      settings.signal.throwIfAborted();
      settings.progress.update(`thaw: round ${round} of ${rounds}, ${fate.title}`);
      const scene = (fate.isDropped && strict) || usual;
      samples.push(...(await strike(fate, { scene, files, contenders }, round * fates.length + index)));
    }
  }
  settings.progress.update('thaw: waiting for clients that wait for their own timers');
  const all = await Promise.all(samples);
  return {
    bench: isMemphis ? 'memphis-thaw' : 'thaw',
    at: new Date().toISOString(),
    rounds,
    machine: describeMachine(),
    node: process.versions.node,
    server: usual.broker.version,
    tables: [toTable(all, fates, contenders)],
    notes: [],
  };
}

type Files = (entry: string) => string;

interface Stage {
  readonly scene: Scene;
  readonly files: Files;
  readonly contenders: readonly Contender[];
}

async function makeBundles({ folder }: Scene, contenders: readonly Contender[]): Promise<Files> {
  const entries = [...new Set(['hosts/thaw.ts', ...contenders.flatMap(({ fetch, publish }) => [fetch, publish])])];
  const made = await Promise.all(
    entries.map(
      async (entry, index) => [entry, (await bundle(entry, path.join(folder, `thaw-${index}.cjs`))).file] as const,
    ),
  );
  const files = new Map(made);
  return (entry) => files.get(entry) ?? '';
}

/**
 * Freezes one function of every kind at the same time, and thaws one after the other. Who waits for a timer of seconds needs
 * no quiet, and is not waited for.
 */
async function strike(fate: Fate, { scene, files, contenders }: Stage, turn: number): Promise<Promise<ThawSample>[]> {
  const casts = contenders.flatMap((contender) => operations.map((operation) => ({ contender, operation })));
  const first = turn % casts.length;
  const frozen = [];
  for (const { contender, operation } of [...casts.slice(first), ...casts.slice(0, first)]) {
    const durable = `${contender.name}-${operation}-${turn}`;
    if (!contender.isOurs) await scene.makeDurable(durable);
    const way = await openPath(scene.broker.port, DELAY_MS);
    const env = { ...scene.env({ ...contender, name: durable }, way.url), ...contender.env, MEMPHIS_GROUP: durable };
    const owned = new FrozenFunction([files('hosts/thaw.ts'), files(contender[operation])], env);
    const order = (name: string, limitMs: number): Order => ({
      event: { id: `${durable}.${name}` },
      wanted: operation === 'fetch' ? BATCH : 0,
      limitMs,
    });
    const warm = await owned.invoke(order('before', WARM_LIMIT_MS));
    if (!warm.isDone) throw new Error(`${contender.title} could not ${operation} before it was frozen.`);
    owned.freeze();
    fate.strike(way);
    frozen.push({ contender, operation, durable, way, owned, order: order('after', fate.limitMs) });
  }
  await sleep(FREEZE_MS);
  const samples: Promise<ThawSample>[] = [];
  for (const { contender, operation, durable, way, owned, order } of frozen) {
    const thawed = owned.thawWith(order);
    const sample = thawed.then(async (answer): Promise<ThawSample> => {
      const stuck = operation === 'fetch' && answer.isDone ? await scene.unsettled(durable) : 0;
      await scene.dropDurable(durable);
      owned.end();
      await way[Symbol.asyncDispose]();
      return { ...answer, fate, contender, operation, stuck };
    });
    sample.catch(() => {}); // it is looked at when all are awaited
    samples.push(sample);
    await Promise.race([sample, sleep(QUICK_MS)]);
  }
  return samples;
}
