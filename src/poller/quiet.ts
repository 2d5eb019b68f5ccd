/** Knows when all stations of a run are empty and nothing is under way, so that a run can end by itself. */

export interface Quiet {
  /** Something came in or ended. */
  moved(): void;
  /** A message will come back at this time. */
  expect(atMs: number): void;
  /** Work that may produce more has begun or ended. */
  began(): void;
  ended(): void;
  /** A pull that began at this time found nothing (or the station cannot be read at all). */
  foundNothing(mapping: string, sinceMs: number): void;
  /** How long a mapping's pull may wait without missing the end; `Infinity` where the run does not end by itself. */
  patienceMs(mapping: string): number;
}

/** How often an empty station is asked again while another one keeps the run going. */
const ASK_AGAIN_MS = 250;

/**
 * @param idleExitMs how long all must have been quiet; left out: never enough
 * @param now the run's clock
 * @param done called once
 */
export function makeQuiet(
  mappings: readonly string[],
  idleExitMs: number | undefined,
  now: () => number,
  done: () => void,
): Quiet {
  let underWay = 0;
  let lastMoveAt = now();
  let expectedAt = 0;
  const emptySince = new Map<string, number>();

  // A pull that began before the last move cannot know what that move has brought.
  const quietFrom = (): number => Math.max(lastMoveAt, expectedAt);
  const isEmpty = (name: string): boolean => (emptySince.get(name) ?? -1) >= quietFrom() + (idleExitMs ?? 0);
  const check = (): void => {
    if (idleExitMs !== undefined && underWay === 0 && mappings.every(isEmpty)) done();
  };
  const moved = (): void => {
    lastMoveAt = now();
  };

  return {
    moved,
    expect: (atMs) => {
      expectedAt = Math.max(expectedAt, atMs);
    },
    began: () => {
      underWay += 1;
      moved();
    },
    ended: () => {
      underWay -= 1;
      moved();
    },
    foundNothing: (mapping, sinceMs) => {
      emptySince.set(mapping, sinceMs);
      check();
    },
    patienceMs: (mapping) => {
      if (idleExitMs === undefined) return Number.POSITIVE_INFINITY;
      // Somebody else keeps the run going.
      if (underWay > 0 || isEmpty(mapping)) return ASK_AGAIN_MS;
      return Math.min(ASK_AGAIN_MS, Math.max(0, quietFrom() + idleExitMs - now()));
    },
  };
}
