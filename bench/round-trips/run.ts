/** Round trips: how often a function waits for the network before it has its messages, or its word that one is stored. */

import { memphisUrl } from '../../demo/memphis-view.ts';
import { type BenchSettings, roundsOf } from '../support/bench.ts';
import { describeMachine, type Report, type Table } from '../support/report.ts';
import { inRounds } from '../support/rounds.ts';
import type { ColdSample } from '../support/run-cold.ts';
import { makeRunner, type Role, type Runner, roundTrips } from './measure.ts';
import { memphisVariants, variants as usualVariants, type Variant } from './variants.ts';

const DELAYS = [10, 40] as const;

export async function benchRoundTrips(settings: BenchSettings): Promise<Report> {
  const isMemphis = settings.broker === 'memphis';
  const variants = isMemphis ? memphisVariants : usualVariants;
  await using runner = await makeRunner(variants, {
    log: settings.progress.say,
    ...(isMemphis && { memphisUrl: memphisUrl() }),
  });
  const rounds = roundsOf(settings, 4);
  return {
    bench: isMemphis ? 'memphis-round-trips' : 'round-trips',
    at: new Date().toISOString(),
    rounds,
    machine: describeMachine(),
    node: process.versions.node,
    server: runner.version,
    tables: [
      await measure(runner, variants, 'consumer', rounds, settings),
      await measure(runner, variants, 'producer', rounds, settings),
    ],
    notes: [],
  };
}

async function measure(
  runner: Runner,
  variants: readonly Variant[],
  role: Role,
  rounds: number,
  settings: BenchSettings,
): Promise<Table> {
  const { progress, signal } = settings;
  const samples = await inRounds({
    subjects: variants.filter(({ isNewGroup }) => role === 'consumer' || !isNewGroup),
    rounds,
    signal,
    onRound: (done, all) => progress.update(`round-trips, ${role}: round ${done} of ${all}`),
    measure: async (variant) => {
      const [short, long] = DELAYS;
      return [await runner.run(variant, role, short), await runner.run(variant, role, long)] as const;
    },
  });
  const isConsumer = role === 'consumer';
  return {
    name: role,
    caption: isConsumer
      ? 'Round trips of a new process to its first batch, and until all is acked and confirmed (slope from 10 to 40 ms one way).'
      : 'Round trips of a new process until its message is stored and confirmed (slope from 10 to 40 ms one way).',
    columns: [
      ...(isConsumer ? [{ key: 'first', title: 'RTT first batch', digits: 2 }] : []),
      { key: 'job', title: isConsumer ? 'RTT settled' : 'RTT stored', digits: 2 },
      { key: 'shortMs', title: 'ms at 10 ms' },
      { key: 'longMs', title: 'ms at 40 ms' },
    ],
    rows: [...samples].map(([{ title }, of]) => {
      // the fastest round: whatever else the machine does only adds
      const at = (index: 0 | 1, read: (sample: ColdSample) => number): number =>
        Math.min(...of.map((pair) => read(pair[index])));
      const slope = (read: (sample: ColdSample) => number): number => roundTrips([at(0, read), at(1, read)], DELAYS);
      return {
        subject: title,
        cells: {
          first: isConsumer ? slope(({ firstMs }) => firstMs) : undefined,
          job: slope(({ jobMs }) => jobMs),
          shortMs: at(0, ({ jobMs }) => jobMs),
          longMs: at(1, ({ jobMs }) => jobMs),
        },
      };
    }),
  };
}
