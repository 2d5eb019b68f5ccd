/** Options of what is done with dead letters. */

import { callback, text } from '../option-spec.ts';

/** Dead letters of a station; each of their methods takes those of these that it names. */
export const deadLetterOptions = {
  /** Dead letters of one group; left out: of all. */
  group: text,
  /** How many a list holds, at most. @default 100 */
  limit: { min: 1, max: 1_000, fallback: 100 },
  /** The list begins behind this id. @default 0 */
  after: { min: 0, max: Number.MAX_SAFE_INTEGER, fallback: 0 },
  /**
   * Where they are put back: for the group that each came from, or into the station for all groups.
   *
   * @default 'group'
   */
  to: { values: ['group', 'station'], fallback: 'group' },
  /** Told after each step how many are done, and of how many; awaited. What it throws ends the work. */
  onProgress: callback<(done: number, total: number) => unknown>(),
} as const;
