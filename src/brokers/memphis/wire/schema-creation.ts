/** Making a schema, or a new version of one (memphis-wire 2.8, 7.4). */

import type { Connection } from '../../../connection/port.ts';
import { MemphisError } from '../../../model/errors.ts';
import type { NewSchema } from '../../../model/schema-store.ts';
import type { Json } from '../../jetstream/wire/api.ts';
import { ask } from './control.ts';

/**
 * $memphis_schema_creations { name, type, created_by_username, schema_content, message_struct_name }
 *
 * Protobuf text without a message would end the broker (11.1), and every import is refused there.
 *
 * @throws MemphisError `SCHEMA_INVALID`
 */
export function schemaCreation(
  { name, type, source }: Pick<NewSchema, 'name' | 'type' | 'source'>,
  username: string,
): Json {
  const refuse = (why: string): never => {
    throw new MemphisError('SCHEMA_INVALID', `Schema ${name} cannot be made on a Memphis broker: ${why}.`);
  };
  if (type === 'protobuf') {
    const bare = source.replace(/\/\*[\s\S]*?\*\/|\/\/.*|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'/g, ' ');
    if (!hasMessage(bare)) refuse('it has no message outside of others');
    if (/(^|[;}])\s*import\b/.test(bare)) refuse('it imports other files, which the broker refuses');
  }
  return { name, type, created_by_username: username, schema_content: source, message_struct_name: '' };
}

/** Whether a message stands at the top; text without comments and strings. */
function hasMessage(bare: string): boolean {
  let depth = 0;
  for (const [token] of bare.matchAll(/[{}]|\bmessage\s+[A-Za-z_]\w*\s*\{/g)) {
    if (token === '}') depth -= 1;
    else if (token === '{') depth += 1;
    else if (depth === 0) return true;
    else depth += 1;
  }
  return false;
}

/** What refusals of this request mean. */
export const schemaMeanings = [
  [/already exist with type/, 'SCHEMA_CONFLICT'],
  [/^your .*invalid|^graphql: |root operation/i, 'SCHEMA_INVALID'],
] as const;

/* Words for the same text again, which is success; by the release. */
const IS_THERE = /already exists? in the db/;

/** @returns whether it was made now. @throws MemphisError `SCHEMA_INVALID`, `SCHEMA_CONFLICT`, as the broker refuses */
export async function createSchema(connection: Connection, schema: NewSchema, timeoutMs: number): Promise<boolean> {
  const attempted = `create schema ${schema.name}`;
  const body = schemaCreation(schema, connection.identity.username);
  try {
    await ask(connection, '$memphis_schema_creations', attempted, timeoutMs, body, schemaMeanings);
    return true;
  } catch (error) {
    if (error instanceof MemphisError && IS_THERE.test(error.message)) return false;
    throw error;
  }
}
