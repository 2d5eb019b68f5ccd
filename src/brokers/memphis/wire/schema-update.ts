/** A station's schema as replies and pushes tell it (memphis-wire 7.2). */

import type { StationSchema } from '../../../model/schema.ts';
import { withProblem } from '../../../model/schema-problem.ts';
import { isJson, type Json } from '../../jetstream/wire/api.ts';

/*
 * { schema_name, type, active_version: { version_number, descriptor, schema_content, message_struct_name } }
 * All empty: the station has no schema.
 */
export function parseSchema(value: unknown): StationSchema | undefined {
  return isJson(value) && typeof value.schema_name === 'string' && value.schema_name !== ''
    ? toSchema(value.schema_name, value)
    : undefined;
}

function toSchema(name: string, value: Json): StationSchema {
  const version: Json = isJson(value.active_version) ? value.active_version : {};
  const textOf = (key: string): string => (typeof version[key] === 'string' ? version[key] : '');
  const [descriptor, messageName] = [textOf('descriptor'), textOf('message_struct_name')];
  return withProblem({
    name,
    type: String(value.type ?? ''),
    version: Number(version.version_number ?? 0),
    source: textOf('schema_content'),
    ...(descriptor === '' ? {} : { descriptor }),
    ...(messageName === '' ? {} : { messageName }),
  });
}

/*
 * Pushed on $memphis_schema_updates_<internal station>: { UpdateType: 1 | 2, init }. 2: there is none any more.
 * Not pushed: a new version of the same schema, and another one of its versions put into use.
 */
export function parsePush(data: Uint8Array): { readonly schema: StationSchema | undefined } | undefined {
  try {
    const push: unknown = JSON.parse(new TextDecoder().decode(data));
    return isJson(push) && isJson(push.init) ? { schema: parseSchema(push.init) } : undefined;
  } catch {
    return undefined; // what is known stays
  }
}

/** What the answer to a registration says. */
export interface Registered {
  /** Not told to consumers by brokers before 1.3.1. */
  readonly schema?: StationSchema;
  /** Whether messages that fail the schema are to be reported. */
  readonly reportsViolations: boolean;
  /** Whether somebody wants to be told of them. */
  readonly sendsNotifications: boolean;
}

export function toRegistered(reply: Json): Registered {
  const schema = parseSchema(reply.schema_update);
  return {
    reportsViolations: reply.schemaverse_to_dls === true,
    sendsNotifications: reply.send_notification === true,
    ...(schema === undefined ? {} : { schema }),
  };
}
