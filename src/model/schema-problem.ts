/** Schemas that no codec can read. */

import { MemphisError } from './errors.ts';
import type { StationSchema } from './schema.ts';

/** Of a schema that could not be read nothing is known. */
export function unreadSchema(): StationSchema {
  return {
    name: '',
    type: '',
    version: 0,
    source: '',
    problem: new MemphisError('TIMEOUT', 'The schema of the station could not be read. Try again.'),
  };
}

/** With why it cannot be used, where that is so: version 0 is one that does not exist, and a type may be none. */
export function withProblem(schema: StationSchema): StationSchema {
  const { name, type, version } = schema;
  if (version > 0 && ['json', 'protobuf', 'graphql', 'avro'].includes(type)) return schema;
  const problem =
    version > 0
      ? new MemphisError('SCHEMA_INVALID', `Schema ${name} is of a type that is not known here.`)
      : new MemphisError('SCHEMA_NOT_FOUND', `The station's schema ${name} does not exist. Create it, or detach it.`);
  return { ...schema, problem };
}
