/** Options of compiling schemas at build time. */

import { off } from '../option-spec.ts';

/** `compileSchema`. */
export const compileOptions = {
  /** For functions that consume and do not produce by it: nothing that writes is in the bundle. */
  readsOnly: off,
} as const;
