/**
 * What is kept per process: one value a configuration, shared by all wrappers and concurrent invocations. Hangs on
 * `globalThis`, so that two copies of this package in one bundle share it too.
 */

const slot: symbol = Symbol.for('memphis-serverless.cache.v1');

/** Functions (secrets) are told apart by identity, not by their text. */
const identities = new WeakMap<object, number>();
let nextIdentity = 1;

function identityOf(value: object): number {
  const identity = identities.get(value) ?? nextIdentity++;
  identities.set(value, identity);
  return identity;
}

/** Options never change, so each object is written down once. */
const keys = new WeakMap<object, string>();

/** A text that is the same for the same options. It holds secrets: never print it. */
function toKey(options: Readonly<Record<string, unknown>>): string {
  let key = keys.get(options);
  if (key === undefined) {
    const sorted = Object.entries(options).sort(([a], [b]) => (a < b ? -1 : 1));
    key = JSON.stringify(sorted, (_, value) => (typeof value === 'function' ? `function ${identityOf(value)}` : value));
    keys.set(options, key);
  }
  return key;
}

function store(): Map<string, unknown> {
  const holder = globalThis as unknown as Record<symbol, Map<string, unknown> | undefined>;
  holder[slot] ??= new Map();
  return holder[slot];
}

/** The value of a configuration: the cached one, or a new one that is cached from now on. */
export function cached<T>(options: Readonly<Record<string, unknown>>, make: (forget: () => void) => T): T {
  const key = toKey(options);
  const values = store();
  const known = values.get(key) as T | undefined;
  if (known !== undefined) return known;
  const made = make(() => {
    if (values.get(key) === made) values.delete(key);
  });
  values.set(key, made);
  return made;
}

/** Every cached value, for an orderly end of the process. */
export function cachedValues(): unknown[] {
  return [...store().values()];
}
