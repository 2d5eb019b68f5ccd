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
      `Compiling schema ${schema} takes the package ${name}: npm install ${name}. Functions need none once createSchema has stored the schema.`,
      { cause },
    );
  }
}
