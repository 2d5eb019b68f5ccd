/** What every benchmark is given. */

import type { Progress } from '../../tools/progress.ts';

export interface BenchSettings {
  readonly broker: 'jetstream' | 'memphis';
  /** Rounds that count; left out: as many as the benchmark holds right. */
  readonly rounds: number | undefined;
  /** Few rounds: to see that it works, not to measure. */
  readonly isShort: boolean;
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

/** So many rounds as were asked for. */
export const roundsOf = ({ rounds, isShort }: BenchSettings, usual: number, short = 2): number =>
  rounds ?? (isShort ? short : usual);
