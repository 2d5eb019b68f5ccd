/** Options of what is done with dead letters. */

import { callback, text } from '../option-spec.ts';

/** Dead letters of a station; each of their methods takes those of these that it names. */
export const deadLetterOptions = {
  /** Those of one group; left out: of all. */
  group: text,
  /** How many a list holds at most. */
  limit: { min: 1, max: 1_000, fallback: 100 },
  /** A list begins behind this id. */
  after: { min: 0, max: Number.MAX_SAFE_INTEGER, fallback: 0 },
  /** Where they are put back: for the group that each came from, or into the station, for all groups. */
  to: { values: ['group', 'station'], fallback: 'group' },
  /** Told after each step of long work how many are done, and of how many; what it throws ends the work; awaited. */
  onProgress: callback<(done: number, total: number) => unknown>(),
} as const;
