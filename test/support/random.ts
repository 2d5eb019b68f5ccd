/** Numbers that look random and are the same for the same seed. */

export interface Random {
  /** From `min` up to `max`, `max` left out. */
  between(min: number, max: number): number;
  integer(min: number, max: number): number;
  pick<T>(values: readonly T[]): T;
  /** Another one, which does not depend on how often this one was asked. */
  fork(name: string): Random;
}

/** mulberry32, which is enough for tests. */
export function makeRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const between = (min: number, max: number): number => min + next() * (max - min);
  const integer = (min: number, max: number): number => Math.floor(between(min, max));
  return {
    between,
    integer,
    pick: (values) => values[integer(0, values.length)] as (typeof values)[number],
    fork: (name) => makeRandom([...name].reduce((sum, letter) => Math.imul(sum, 31) + letter.charCodeAt(0), seed)),
  };
}
