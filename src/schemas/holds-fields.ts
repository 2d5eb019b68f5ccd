/** Objects that stand for their fields. */

/**
 * Whether an object can be taken for its fields: a record, a `Map`, an instance of a class. A `Date`, a `Set`, a promise or an
 * error would pass for one without any, and be lost without a word.
 */
export function holdsFields(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false;
  const tag = Object.prototype.toString.call(value);
  return tag === '[object Object]' || tag === '[object Map]' || Object.hasOwn(value, Symbol.toStringTag);
}
