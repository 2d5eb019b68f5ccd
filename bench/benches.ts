/** Every benchmark, in the order in which they run. */

import { benchColdStart } from './cold-start/run.ts';
import { benchFirstRun } from './first-run/run.ts';
import { benchRoundTrips } from './round-trips/run.ts';
import { benchSchemas } from './schemas/run.ts';
import type { BenchSettings } from './support/bench.ts';
import type { Report } from './support/report.ts';
import { benchThaw } from './thaw/run.ts';
import { benchWarm } from './warm/run.ts';

export const benches: Readonly<Record<string, (settings: BenchSettings) => Promise<Report>>> = {
  'cold-start': benchColdStart,
  'round-trips': benchRoundTrips,
  warm: benchWarm,
  thaw: benchThaw,
  schemas: benchSchemas,
  'first-run': benchFirstRun,
};

/** Those that a Memphis broker is measured with. */
export const memphisBenches: readonly string[] = ['cold-start', 'round-trips', 'thaw'];
