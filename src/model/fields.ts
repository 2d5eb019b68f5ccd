/** Reading objects that callers hand in: what is no plain record is not taken for an empty one. Pure. */

import { MemphisError } from './errors.ts';

/** Made by a literal or by `JSON.parse`, also in another realm. */
export function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

/** As `Array.isArray`, which throws for a proxy that was revoked. */
export function isList(value: unknown): value is readonly unknown[] {
  try {
    return Array.isArray(value);
  } catch {
    return false;
  }
}

/** An object whose own fields say something: no list, and no `Map` or promise, which would pass for empty. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  return isPlain(value) || Object.keys(value).length > 0;
}

/**
 * The own fields of some options, each read once: a getter may throw, or say something else the next time.
 *
 * @param where what is being called, for the error text
 * @returns the caller's own; no fields where nothing is given
 * @throws MemphisError `INVALID_OPTION`
 */
export function readFields(where: string, given: unknown): Record<string, unknown> {
  if (given === undefined) return {};
  let fields: Record<string, unknown> | undefined;
  try {
    fields = isRecord(given) ? { ...given } : undefined;
  } catch (cause) {
    throw unfit(`${where}: the options cannot be read; see the cause.`, { cause });
  }
  if (fields !== undefined) return fields;
  throw unfit(`${where}: options must be an object with fields of its own.`);
}

function unfit(words: string, details?: { readonly cause: unknown }): MemphisError {
  return new MemphisError('INVALID_OPTION', words, details);
}
