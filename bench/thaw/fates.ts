/** What becomes of a connection while the function that holds it is frozen. */

import type { NetworkPath } from '../support/path.ts';

export interface Fate {
  readonly name: string;
  readonly title: string;
  /** What happens to the path meanwhile. */
  readonly strike: (path: NetworkPath) => void;
  /** Who has not finished by then waits for its own timers, and is not waited for. */
  readonly limitMs: number;
  /** On the broker that drops silent clients after 2 s. */
  readonly isDropped?: boolean;
}

const SLOW_MS = 60;

export const fates: readonly Fate[] = [
  { name: 'alive', title: 'alive', strike: () => {}, limitMs: 12_000 },
  { name: 'dropped', title: 'dropped by the server', strike: () => {}, limitMs: 12_000, isDropped: true },
  { name: 'closed', title: 'closed (FIN)', strike: (path) => path.end(), limitMs: 12_000 },
  { name: 'forgotten', title: 'forgotten (RST)', strike: (path) => path.forget(), limitMs: 12_000 },
  { name: 'hole', title: 'black hole', strike: (path) => path.swallow(), limitMs: 12_000 },
  { name: 'late', title: 'suddenly 60 ms away', strike: (path) => path.setDelay(SLOW_MS), limitMs: 12_000 },
];
