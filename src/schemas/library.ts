/** Libraries that are loaded only where they are needed. */

import { MemphisError } from '../model/errors.ts';
import type { StationSchema } from '../model/schema.ts';

/**
 * Imports an optional package, by a name that bundlers cannot follow.
 *
 * @throws MemphisError `DEPENDENCY_MISSING`
 */
export async function importLibrary<T>(name: string, { name: schema }: StationSchema): Promise<T> {
  try {
    return (await import(/* webpackIgnore: true */ /* @vite-ignore */ name)) as T;
  } catch (cause) {
    throw new MemphisError(
      'DEPENDENCY_MISSING',
      `Schema ${schema} is there as text only, so the package ${name} is needed: install it, or let createSchema store the schema anew.`,
      { cause },
    );
  }
}
