/** A codec as an option. */

import { must, type ReadSpec } from '../option-spec.ts';
import type { SchemaReader } from '../schema-reader.ts';

/** A codec or a validator, as `memphis-serverless/schemas/...` have them. */
export const schemaReader: ReadSpec<SchemaReader | undefined> = {
  read: (value) =>
    typeof (value as Partial<SchemaReader> | null)?.covers === 'function'
      ? (value as SchemaReader)
      : must("a codec or a validator, as 'memphis-serverless/schemas/...' have them"),
};
