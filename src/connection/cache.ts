/**
 * What is kept per process: one value a configuration, shared by all wrappers and concurrent invocations. Hangs on
 * `globalThis`, so that two copies of this package in one bundle share it too.
 */

interface Kept {
  readonly options: object;
  readonly value: unknown;
}

const slot: symbol = Symbol.for('memphis-serverless.cache.v2');

function store(): Kept[] {
  const holder = globalThis as unknown as Record<symbol, Kept[] | undefined>;
  holder[slot] ??= [];
  return holder[slot];
}

/** Functions (secrets) are told apart by identity, not by their text. */
function isSame(one: unknown, other: unknown): boolean {
  return one === other || (holds(one, other) && holds(other, one));
}

function holds(one: unknown, other: unknown): boolean {
  if (typeof one !== 'object' || one === null || typeof other !== 'object' || other === null) return false;
  return Object.entries(one).every(([name, value]) => isSame(value, (other as Record<string, unknown>)[name]));
}

/** The value of a configuration: the cached one, or a new one that is cached from now on. */
export function cached<T>(options: object, make: (forget: () => void) => T): T {
  const values = store();
  const known = values.find((kept) => isSame(kept.options, options));
  if (known !== undefined) return known.value as T;
  const value = make(() => {
    const at = values.indexOf(kept);
    if (at >= 0) values.splice(at, 1);
  });
  const kept = { options, value };
  values.push(kept);
  return value;
}

/** Every cached value, for an orderly end of the process. */
export function cachedValues(): unknown[] {
  return store().map(({ value }) => value);
}
