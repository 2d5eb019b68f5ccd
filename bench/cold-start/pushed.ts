/** Cold start of a function that a poller hands its messages: it connects to nothing, so what it holds is all that it pays for. */

import path from 'node:path';
import { makePushedEvent } from '../hosts/context.ts';
import type { BenchSettings } from '../support/bench.ts';
import { bundle } from '../support/bundle.ts';
import { addCodeCache, type CodeCacheKind } from '../support/code-cache.ts';
import type { Table } from '../support/report.ts';
import { inRounds } from '../support/rounds.ts';
import { type ColdSample, runCold } from '../support/run-cold.ts';
import { ours } from '../support/subjects.ts';
import type { Measured } from './run.ts';
import { jobTable } from './tables.ts';

interface Pushed {
  readonly title: string;
  readonly entry: string;
  readonly driver?: 'none';
  readonly codeCache?: CodeCacheKind;
}

const whole = { title: 'memphis-serverless', entry: ours.consumer };
const withoutDriver = { ...whole, title: `${whole.title}, no driver`, driver: 'none' } as const;
const subjects: readonly Pushed[] = [
  { title: 'floor (by hand)', entry: 'floor/pushed.ts' },
  ...[whole, withoutDriver].flatMap((one): readonly Pushed[] => [
    one,
    { ...one, title: `${one.title}, code cache of a run`, codeCache: 'run' },
  ]),
];

/** @param folder for bundles */
export async function measurePushed(
  folder: string,
  host: string,
  rounds: number,
  { progress, signal }: BenchSettings,
): Promise<Table> {
  const made = await Promise.all(
    subjects.map(async ({ title, entry, driver, codeCache }, index) => {
      const file = path.join(folder, `pushed-${index}.cjs`);
      const own = await bundle(entry, file, driver && { driver });
      if (codeCache !== undefined) await addCodeCache(file, codeCache, {}, JSON.stringify(makePushedEvent(1)));
      return { title, bundle: own };
    }),
  );
  const samples = await inRounds<(typeof made)[number] | undefined, ColdSample>({
    subjects: [undefined, ...made],
    rounds,
    signal,
    onRound: (done, all) => progress.update(`cold-start, pushed: round ${done} of ${all}`),
    measure: (one) => runCold({ args: one === undefined ? ['-e', '0'] : [host, one.bundle.file, 'pushed'] }),
  });
  const measured = [...samples].map(
    ([one, of]): Measured => ({ title: one?.title ?? 'node -e 0', bundle: one?.bundle, samples: of }),
  );
  const caption =
    'Cold start of a function that a poller hands 10 messages, all of them handled. Milliseconds, medians.';
  return jobTable('pushed', caption, measured);
}
