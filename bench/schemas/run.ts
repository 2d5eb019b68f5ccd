/** What reading by a schema adds to a cold start: a new process loads a bundle and reads its first message. */

import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { build } from 'esbuild';
import { type BenchSettings, roundsOf } from '../support/bench.ts';
import { bundle } from '../support/bundle.ts';
import { functionBundle } from '../support/function-bundle.ts';
import { column, describeMachine, type Report } from '../support/report.ts';
import { inRounds } from '../support/rounds.ts';
import { type ColdSample, runCold } from '../support/run-cold.ts';
import { type Spread, spreadOf } from '../support/stats.ts';
import { type Contender, makeContenders } from './contenders.ts';

const root = path.join(import.meta.dirname, '../..');

/** As a user would bundle it for Lambda. */
async function bundleOf({ code }: Contender, outfile: string): Promise<number> {
  await build({
    ...functionBundle,
    stdin: { contents: code, resolveDir: root, loader: 'js' },
    outfile,
  });
  return (await stat(outfile)).size;
}

export async function benchSchemas(settings: BenchSettings): Promise<Report> {
  const { progress, signal } = settings;
  const rounds = roundsOf(settings, 21);
  const folder = await mkdtemp(path.join(tmpdir(), 'memphis-serverless-schemas-'));
  try {
    const host = (await bundle('hosts/cold.ts', path.join(folder, 'cold.cjs'))).file;
    const subjects = await Promise.all(
      (await makeContenders()).map(async (contender, index) => {
        const file = path.join(folder, `${index}.cjs`);
        return { ...contender, file, bytes: await bundleOf(contender, file) };
      }),
    );
    const samples = await inRounds({
      subjects,
      rounds,
      signal,
      onRound: (done, all) => progress.update(`schemas: round ${done} of ${all}`),
      measure: ({ file }) => runCold({ args: [host, file], expected: 1 }),
    });
    const read = (of: readonly ColdSample[], key: 'importMs' | 'jobMs') => column(of, (sample) => sample[key]);
    const [without] = [...samples.values()];
    // against the same round's, since a machine has better and worse minutes
    const added = (of: readonly ColdSample[]): Spread | undefined =>
      spreadOf(of.map(({ jobMs }, round) => jobMs - (without?.[round]?.jobMs ?? jobMs)));
    return {
      bench: 'schemas',
      at: new Date().toISOString(),
      rounds,
      machine: describeMachine(),
      node: process.versions.node,
      server: 'none',
      tables: [
        {
          name: 'first-message',
          caption: 'What a schema adds to a cold start: import, and the first message read. Milliseconds, medians.',
          columns: [
            { key: 'kb', title: 'KB minified', digits: 1 },
            { key: 'importMs', title: 'import', digits: 1 },
            { key: 'jobMs', title: 'import and first message', digits: 1, showsSpread: true },
            { key: 'added', title: 'more than without a schema', digits: 1, showsSpread: true },
          ],
          rows: [...samples].map(([{ title, bytes }, of]) => {
            const jobMs = read(of, 'jobMs');
            return {
              subject: title,
              cells: { kb: bytes / 1_000, importMs: read(of, 'importMs'), jobMs, added: added(of) },
            };
          }),
        },
      ],
      notes: [],
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
