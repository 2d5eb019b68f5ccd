/** Options of what is done with dead letters. */

import { callback, integer, oneOf, text } from '../option-spec.ts';

/** Dead letters of a station; each of their methods takes those of these that it names. */
export const deadLetterOptions = {
  /** Those of one group; left out: of all. */
  group: text<undefined>(undefined),
  /** How many a list holds at most. */
  limit: integer(1, 1_000, 100),
  /** A list begins behind this id. */
  after: integer(0, Number.MAX_SAFE_INTEGER, 0),
  /** Where they are put back: for the group that each came from, or into the station, for all groups. */
  to: oneOf(['group', 'station'], 'group'),
  /** Told after each step of long work how many are done, and of how many; what it throws ends the work; awaited. */
  onProgress: callback<(done: number, total: number) => unknown>(),
} as const;
