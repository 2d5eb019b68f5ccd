/** What a user can choose: the form of the bundle, and what the function is told of its broker. */

import path from 'node:path';
import type { BenchSettings } from '../support/bench.ts';
import { type Bundle, bundle } from '../support/bundle.ts';
import { addCodeCache, type CodeCacheKind } from '../support/code-cache.ts';
import { column, ratio, type Table } from '../support/report.ts';
import { inRounds } from '../support/rounds.ts';
import { type ColdSample, runCold } from '../support/run-cold.ts';
import { openScene, type Scene } from '../support/scene.ts';
import { ours } from '../support/subjects.ts';

interface Choice {
  readonly title: string;
  readonly format?: 'cjs' | 'esm';
  readonly minify?: boolean;
  readonly isTls?: boolean;
  /** The server is given by a name, which has to be looked up. */
  readonly isNamed?: boolean;
  readonly driver?: 'jetstream';
  /** The toolkit is loaded from `dist`, file by file. */
  readonly isApart?: boolean;
  /** The invocation comes a while after the import, and that while does not count. */
  readonly isLater?: boolean;
  /** The round that does not count fills it. */
  readonly hasCache?: boolean;
  readonly codeCache?: CodeCacheKind;
  /** '' takes a variable away. */
  readonly env?: Readonly<Record<string, string>>;
}

/** The first one is what the others are compared with. */
const choices: readonly Choice[] = [
  { title: 'CommonJS, minified; tls and broker stated' },
  { title: 'bundled with one driver (MEMPHIS_DRIVER)', driver: 'jetstream' },
  { title: 'not minified', minify: false },
  { title: 'ES module, minified', format: 'esm' },
  { title: 'ES module, not minified', format: 'esm', minify: false },
  { title: 'tls and broker not stated', env: { MEMPHIS_TLS: '', MEMPHIS_BROKER: '' } },
  { title: 'servers by name (localhost)', isNamed: true },
  { title: 'with a compile cache that is filled (NODE_COMPILE_CACHE)', hasCache: true },
  { title: 'with a code cache (memphis-serverless code-cache)', codeCache: 'all' },
  { title: 'with a code cache of a run (code-cache --run)', codeCache: 'run' },
  { title: 'prefetch, invoked at once', env: { MEMPHIS_PREFETCH: 'true' } },
  { title: 'invoked 50 ms after the import', isLater: true },
  { title: 'prefetch, invoked 50 ms after the import', isLater: true, env: { MEMPHIS_PREFETCH: 'true' } },
  { title: 'no bundle, CommonJS', isApart: true },
  { title: 'no bundle, ES modules', isApart: true, format: 'esm' },
  { title: 'TLS', isTls: true },
  { title: 'TLS, with a code cache', isTls: true, codeCache: 'all' },
  { title: 'TLS, with a code cache of a run', isTls: true, codeCache: 'run' },
];
const BATCH = 10;

export async function measureChoices(
  scene: Scene,
  host: string,
  rounds: number,
  { progress, signal }: BenchSettings,
): Promise<Table> {
  await using encrypted = await openScene({ access: 'tls' });
  const sceneOf = ({ isTls }: Choice): Scene => (isTls ? encrypted : scene);
  const envOf = (choice: Choice): Record<string, string> => {
    const { broker, env } = sceneOf(choice);
    return env(ours, choice.isNamed ? `nats://localhost:${broker.port}` : undefined);
  };
  for (const each of [scene, encrypted]) {
    await each.clear([ours]);
    await each.fill(BATCH * (rounds + 2) * choices.length);
  }
  const bundles = new Map<Choice, Bundle>();
  for (const [index, choice] of choices.entries()) {
    const { format = 'cjs', minify = true, isApart = false, driver } = choice;
    const file = path.join(scene.folder, `choice-${index}.${format === 'esm' ? 'mjs' : 'cjs'}`);
    bundles.set(choice, await bundle(ours.consumer, file, { format, minify, isApart, ...(driver && { driver }) }));
    if (choice.codeCache !== undefined) await addCodeCache(file, choice.codeCache, envOf(choice));
  }
  const samples = await inRounds({
    subjects: choices,
    rounds,
    signal,
    onRound: (done, all) => progress.update(`cold-start, choices: round ${done} of ${all}`),
    measure: (choice) => {
      const cache = choice.hasCache ? { NODE_COMPILE_CACHE: path.join(scene.folder, 'compile-cache') } : {};
      const env = Object.entries({ ...envOf(choice), ...choice.env, ...cache });
      return runCold({
        args: [host, bundles.get(choice)?.file ?? '', ...(choice.isLater ? ['later'] : [])],
        env: Object.fromEntries(env.filter(([, text]) => text !== '')),
        expected: BATCH,
      });
    },
  });
  return toTable(samples, bundles);
}

function toTable(samples: ReadonlyMap<Choice, readonly ColdSample[]>, bundles: ReadonlyMap<Choice, Bundle>): Table {
  const first = samples.get(choices[0] as Choice) ?? [];
  return {
    name: 'choices',
    caption: 'The consumer function in other forms and with other settings. Milliseconds, medians.',
    columns: [
      { key: 'kb', title: 'KB' },
      { key: 'import', title: 'import' },
      { key: 'job', title: 'job', showsSpread: true },
      { key: 'cpu', title: 'CPU' },
      { key: 'importRatio', title: 'import x first row', digits: 2 },
      { key: 'jobRatio', title: 'job x first row', digits: 2 },
      { key: 'cpuRatio', title: 'CPU x first row', digits: 2 },
    ],
    rows: [...samples].map(([choice, of]) => {
      const values = (some: readonly ColdSample[]) => ({
        import: column(some, ({ importMs }) => importMs),
        job: column(some, ({ jobMs }) => jobMs),
        cpu: column(some, ({ cpuMs }) => cpuMs),
      });
      const [own, base] = [values(of), values(first)];
      return {
        subject: choice.title,
        cells: {
          kb: (bundles.get(choice)?.bytes ?? 0) / 1_000,
          ...own,
          importRatio: ratio(own.import, base.import),
          jobRatio: ratio(own.job, base.job),
          cpuRatio: ratio(own.cpu, base.cpu),
        },
      };
    }),
  };
}
