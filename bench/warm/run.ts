/** Warm path: a function that has its connection, invoked again and again. */

import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { type BenchSettings, roundsOf } from '../support/bench.ts';
import { bundle } from '../support/bundle.ts';
import { column, describeMachine, type Report, ratio, type Table } from '../support/report.ts';
import { inRounds } from '../support/rounds.ts';
import { openScene, type Scene } from '../support/scene.ts';
import { ours, type Subject, subjects } from '../support/subjects.ts';
import { type Fetching, fetching, type Producing, producing } from './workloads.ts';

interface WarmSample {
  /** Of one invocation. */
  readonly ms: number;
  readonly cpuUs: number;
  readonly answer: unknown;
}

interface Measured {
  readonly workload: string;
  readonly title: string;
  /** Of one invocation. */
  readonly messages: number;
  readonly samples: readonly WarmSample[];
}

/** Where many messages are stored at once, the toolkit has a call for that. */
const batching: Subject = {
  ...ours,
  title: 'memphis-serverless, produceBatch',
  producer: 'functions/batch-producer.ts',
};

export async function benchWarm(settings: BenchSettings): Promise<Report> {
  await using scene = await openScene({ log: settings.progress.say });
  const bench: Bench = {
    scene,
    host: (await bundle('hosts/warm.ts', path.join(scene.folder, 'warm.cjs'))).file,
    rounds: roundsOf(settings, 5),
    settings,
  };
  const fetched: Measured[] = [];
  for (const workload of fetching) fetched.push(...(await measureFetching(bench, workload)));
  const produced: Measured[] = [];
  for (const workload of producing) produced.push(...(await measureProducing(bench, workload)));
  return {
    bench: 'warm',
    at: new Date().toISOString(),
    rounds: bench.rounds,
    machine: describeMachine(),
    node: process.versions.node,
    server: scene.broker.version,
    tables: [
      toTable(
        'consumer',
        'A warm invocation: messages pulled, all acked, confirmed. Medians of one invocation.',
        fetched,
      ),
      toTable(
        'producer',
        'A warm invocation that stores messages and waits for the confirmations. Medians of one message.',
        produced,
      ),
    ],
    notes: [],
  };
}

interface Bench {
  readonly scene: Scene;
  readonly host: string;
  readonly rounds: number;
  readonly settings: BenchSettings;
}

async function run(args: readonly string[], env: Readonly<Record<string, string>>): Promise<WarmSample> {
  const { stdout } = await promisify(execFile)(process.execPath, args, { env, maxBuffer: 1e8 });
  return JSON.parse(stdout) as WarmSample;
}

async function measureFetching({ scene, host, rounds, settings }: Bench, workload: Fetching): Promise<Measured[]> {
  const { title, batchSize, bytes, warmUps, invocations } = workload;
  const files = new Map<Subject, string>();
  for (const subject of subjects) {
    files.set(subject, (await bundle(subject.consumer, path.join(scene.folder, `${subject.name}-c.cjs`))).file);
  }
  await scene.clear(subjects);
  const samples = await inRounds({
    subjects,
    rounds,
    signal: settings.signal,
    onRound: async (done, all) => {
      settings.progress.update(`warm, ${title}: round ${done} of ${all}`);
      await scene.fill(batchSize * (warmUps + invocations), bytes);
    },
    measure: async (subject) => {
      const env = { ...scene.env(subject), MEMPHIS_BATCH_SIZE: String(batchSize) };
      const sample = await run([host, files.get(subject) ?? '', '{}', String(warmUps), String(invocations)], env);
      const handled = subject.isOurs ? (sample.answer as { readonly acked: number }).acked : sample.answer;
      if (handled !== batchSize) throw new Error(`${subject.title} handled ${handled} messages, not ${batchSize}.`);
      return sample;
    },
  });
  return [...samples].map(([subject, of]) => ({
    workload: title,
    title: subject.title,
    messages: batchSize,
    samples: of,
  }));
}

async function measureProducing({ scene, host, rounds, settings }: Bench, workload: Producing): Promise<Measured[]> {
  const { title, work, warmUps, invocations } = workload;
  const all = work.isPipelined ? [...subjects, batching] : subjects;
  const files = new Map<Subject, string>();
  for (const [index, subject] of all.entries()) {
    files.set(subject, (await bundle(subject.producer, path.join(scene.folder, `${index}-p.cjs`))).file);
  }
  const samples = await inRounds({
    subjects: all,
    rounds,
    signal: settings.signal,
    onRound: (done, of) => settings.progress.update(`warm, ${title}: round ${done} of ${of}`),
    measure: async (subject) => {
      await scene.clear([]);
      const args = [host, files.get(subject) ?? '', JSON.stringify(work), String(warmUps), String(invocations)];
      const { ms, cpuUs, answer } = await run(args, scene.env(subject));
      return { ms: ms / work.count, cpuUs: cpuUs / work.count, answer };
    },
  });
  return [...samples].map(([subject, of]) => ({ workload: title, title: subject.title, messages: 1, samples: of }));
}

/** @param measured of each workload the floor first */
function toTable(name: string, caption: string, measured: readonly Measured[]): Table {
  return {
    name,
    caption,
    columns: [
      { key: 'ms', title: 'ms', digits: 3, showsSpread: true },
      { key: 'cpu', title: 'CPU us' },
      { key: 'perSecond', title: 'msg/s', digits: 0 },
      { key: 'msRatio', title: 'ms x floor', digits: 2 },
      { key: 'cpuRatio', title: 'CPU x floor', digits: 2 },
    ],
    rows: measured.map(({ workload, title, messages, samples }) => {
      const floor = measured.find((other) => other.workload === workload)?.samples ?? [];
      const ms = column(samples, (sample) => sample.ms);
      const cpu = column(samples, (sample) => sample.cpuUs);
      return {
        subject: `${workload}: ${title}`,
        cells: {
          ms,
          cpu,
          perSecond: ms && (messages * 1e3) / ms.median,
          msRatio: ratio(
            ms,
            column(floor, (sample) => sample.ms),
          ),
          cpuRatio: ratio(
            cpu,
            column(floor, (sample) => sample.cpuUs),
          ),
        },
      };
    }),
  };
}
