/** The few functions of `reflect-metadata` without which the certificate library's container refuses to load. */

const kept = new WeakMap<object, Map<unknown, unknown>>();
const own = (key: unknown, target: object): unknown => kept.get(target)?.get(key);

Object.assign(Reflect, {
  getOwnMetadata: own,
  getMetadata: own,
  hasOwnMetadata: (key: unknown, target: object): boolean => kept.get(target)?.has(key) === true,
  defineMetadata: (key: unknown, value: unknown, target: object): void => {
    kept.set(target, (kept.get(target) ?? new Map()).set(key, value));
  },
});
