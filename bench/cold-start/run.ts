/** Cold start: a new process loads a function's bundle and runs its first invocation. */

import path from 'node:path';
import { memphisUrl } from '../../demo/memphis-view.ts';
import { flagsOfLambda } from '../../src/code-cache/make-with.ts';
import { type BenchSettings, roundsOf } from '../support/bench.ts';
import { type Bundle, bundle } from '../support/bundle.ts';
import { addCodeCache, type CodeCacheKind } from '../support/code-cache.ts';
import { openMemphisScene } from '../support/memphis-scene.ts';
import { makeQuota, type Quota } from '../support/quota.ts';
import { describeMachine, type Report, type Table } from '../support/report.ts';
import { inRounds } from '../support/rounds.ts';
import { type ColdSample, runCold } from '../support/run-cold.ts';
import { openScene, type Scene } from '../support/scene.ts';
import {
  floor,
  memphisDev,
  memphisSubjects,
  nats3,
  ours,
  type Subject,
  subjects as usualSubjects,
} from '../support/subjects.ts';
import { measureChoices } from './choices.ts';
import { measurePushed } from './pushed.ts';
import { importTable, jobTable } from './tables.ts';

const BATCH = 10;
/** As they are, and with the code caches that `memphis-serverless code-cache` makes of any bundle. */
const withCaches = (all: readonly Subject[]): ColdSubject[] =>
  all.flatMap((one): ColdSubject[] => (one === ours || one === nats3 ? [one, ...cached(one)] : [one]));
const cached = (one: Subject): ColdSubject[] => [
  { ...one, title: `${one.title}, code cache`, codeCache: 'all' },
  { ...one, title: `${one.title}, code cache of a run`, codeCache: 'run' },
];
/** Where the broker is known to be a NATS server. */
const oneDriver: ColdSubject = { ...ours, title: `${ours.title}, one driver`, driver: 'jetstream' };
const compared: readonly ColdSubject[] = [
  ...withCaches(usualSubjects),
  oneDriver,
  { ...oneDriver, title: `${oneDriver.title}, code cache of a run`, codeCache: 'run' },
];
/** Of one processor: about what Lambda gives to functions of 180 and of 530 MB. */
const SHARES = [0.1, 0.3];

interface ColdSubject extends Subject {
  readonly codeCache?: CodeCacheKind;
  readonly driver?: 'jetstream';
}

/** How the measured processes are started. */
interface Start {
  /** Told of the progress. */
  readonly title: string;
  readonly quota?: Quota;
  /** For Node. */
  readonly flags?: readonly string[];
}

export interface Measured {
  readonly title: string;
  readonly bundle: Bundle | undefined;
  readonly samples: readonly ColdSample[];
}

export async function benchColdStart(settings: BenchSettings): Promise<Report> {
  const isMemphis = settings.broker === 'memphis';
  await using scene = isMemphis
    ? await openMemphisScene(memphisUrl())
    : await openScene({ log: settings.progress.say });
  const host = (await bundle('hosts/cold.ts', path.join(scene.folder, 'cold.cjs'))).file;
  const rounds = roundsOf(settings, 41);
  const tables: Table[] = [
    jobTable(
      'consumer',
      `Cold start of a consumer function: ${BATCH} messages pulled, acked, confirmed. Milliseconds, medians.`,
      await measureJobs(scene, host, 'consumer', rounds, settings, { title: 'consumer' }),
    ),
    jobTable(
      'producer',
      'Cold start of a producing function: one message stored and confirmed. Milliseconds, medians.',
      await measureJobs(scene, host, 'producer', rounds, settings, { title: 'producer' }),
    ),
    importTable(await measureImports(scene, host, Math.ceil(rounds / 3), settings)),
  ];
  if (!isMemphis) {
    tables.push(
      jobTable(
        'consumer-lambda',
        `The same consumer function in a Node that is started as Lambda does it (${flagsOfLambda.join(' ')}). Milliseconds, medians.`,
        await measureJobs(scene, host, 'consumer', Math.ceil(rounds / 2), settings, {
          title: 'flags of Lambda',
          flags: flagsOfLambda,
        }),
      ),
      await measurePushed(scene.folder, host, Math.ceil(rounds / 2), settings),
      await measureChoices(scene, host, Math.ceil(rounds / 2), settings),
    );
  }
  const notes: string[] = [];
  for (const share of SHARES) {
    using quota = makeQuota(share);
    const percent = `${share * 100} %`;
    if (quota === undefined) {
      notes.push(`Not measured with ${percent} of a processor: this machine lets us make no control group for that.`);
      continue;
    }
    const start = { title: `${percent} of a processor`, quota };
    const measured = await measureJobs(scene, host, 'consumer', Math.ceil(rounds / 8), settings, start);
    const caption = `The same consumer function with ${percent} of a processor; the broker is not limited. Milliseconds, medians.`;
    tables.push(jobTable(`consumer-cpu-${share * 100}`, caption, measured));
  }
  return {
    bench: isMemphis ? 'memphis-cold-start' : 'cold-start',
    at: new Date().toISOString(),
    rounds,
    machine: describeMachine(),
    node: process.versions.node,
    server: scene.broker.version,
    tables,
    notes,
  };
}

async function measureJobs(
  scene: Scene,
  host: string,
  role: 'consumer' | 'producer',
  rounds: number,
  { broker, progress, signal }: BenchSettings,
  { title, quota, flags = [] }: Start,
): Promise<Measured[]> {
  const subjects = broker === 'memphis' ? withCaches(memphisSubjects) : compared;
  const wrapper = quota?.wrapper ?? [];
  await scene.clear(subjects);
  // Those of one name share a durable; and each function with a cache of a run has run once more.
  const sharing = Math.max(...subjects.map((one) => subjects.filter(({ name }) => name === one.name).length));
  if (role === 'consumer') await scene.fill(sharing * BATCH * (rounds + 2));
  const bundles = new Map<ColdSubject, Bundle>();
  for (const [index, subject] of subjects.entries()) {
    const { driver } = subject;
    const made = await bundle(subject[role], path.join(scene.folder, `${role}-${index}.cjs`), driver && { driver });
    if (subject.codeCache !== undefined) await addCodeCache(made.file, subject.codeCache, scene.env(subject));
    bundles.set(subject, made);
  }
  const samples = await inRounds<ColdSubject | undefined, ColdSample>({
    subjects: [undefined, ...subjects],
    rounds,
    signal,
    onRound: (done, all) => progress.update(`cold-start, ${title}: round ${done} of ${all}`),
    measure: (subject) =>
      subject === undefined
        ? runCold({ args: [...flags, '-e', '0'], wrapper })
        : runCold({
            args: [...flags, host, bundles.get(subject)?.file ?? ''],
            wrapper,
            env: scene.env(subject),
            expected: role === 'consumer' ? BATCH : undefined,
          }),
  });
  return [...samples].map(([subject, of]) => ({
    title: subject?.title ?? 'node -e 0',
    bundle: subject === undefined ? undefined : bundles.get(subject),
    samples: of,
  }));
}

async function measureImports(
  scene: Scene,
  host: string,
  rounds: number,
  { broker, progress, signal }: BenchSettings,
): Promise<Measured[]> {
  const ofSubjects = (some: readonly Subject[]) => some.map(({ title, consumer }) => ({ title, entry: consumer }));
  const entries = broker === 'memphis' ? ofSubjects(memphisSubjects) : [...ofSubjects(usualSubjects), memphisDev];
  const bundled = await Promise.all(
    entries.map(async ({ title, entry }, index) => ({
      title,
      bundle: await bundle(entry, path.join(scene.folder, `import-${index}.cjs`)),
    })),
  );
  const samples = await inRounds({
    subjects: bundled,
    rounds,
    signal,
    onRound: (done, all) => progress.update(`cold-start, imports: round ${done} of ${all}`),
    measure: ({ bundle: { file } }) => runCold({ args: [host, file, 'import'], env: scene.env(floor) }),
  });
  return [...samples].map(([subject, of]) => ({ ...subject, samples: of }));
}
