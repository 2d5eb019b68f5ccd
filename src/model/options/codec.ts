/** A codec as an option. */

import { must, type OptionSpec } from '../option-spec.ts';
import type { SchemaReader } from '../schema-reader.ts';

/** A codec or a validator, as `memphis-serverless/schemas/...` have them. */
export const schemaReader: OptionSpec<SchemaReader | undefined> = {
  read: (value) =>
    typeof (value as Partial<SchemaReader> | null)?.covers === 'function'
      ? (value as SchemaReader)
      : must("a codec or a validator, as 'memphis-serverless/schemas/...' have them"),
  fallback: undefined,
};
