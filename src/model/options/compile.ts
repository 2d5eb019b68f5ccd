/** Options of compiling schemas at build time. */

import { off } from '../option-spec.ts';

/** `compileSchema`. */
export const compileOptions = {
  /** For functions that only consume by the schema: their bundle holds nothing that writes. @default false */
  readsOnly: off,
} as const;
