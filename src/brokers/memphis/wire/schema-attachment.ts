/** Attaching schemas to stations and detaching them (memphis-wire 2.8, 7.5). */

import type { Connection } from '../../../connection/port.ts';
import type { Json } from '../../jetstream/wire/api.ts';
import { ask } from './control.ts';

/* $memphis_schema_attachments { name, station_name, username } */
export function schemaAttachment(schema: string, station: string, username: string): Json {
  return {
    name: schema,
    station_name: station,
    username,
  };
}

/* $memphis_schema_detachments { station_name, username } */
export function schemaDetachment(station: string, username: string): Json {
  return { station_name: station, username };
}

/** Replaces the one that is attached. @throws MemphisError `SCHEMA_NOT_FOUND`, `STATION_NOT_FOUND` */
export async function attachSchema(
  connection: Connection,
  schema: string,
  station: string,
  timeoutMs: number,
): Promise<void> {
  const attempted = `attach schema ${schema} to station ${station}`;
  const body = schemaAttachment(schema, station, connection.identity.username);
  await ask(connection, '$memphis_schema_attachments', attempted, timeoutMs, body);
}

/** No-op where none is attached. @throws MemphisError `STATION_NOT_FOUND` */
export async function detachSchema(connection: Connection, station: string, timeoutMs: number): Promise<void> {
  const attempted = `detach the schema of station ${station}`;
  const body = schemaDetachment(station, connection.identity.username);
  await ask(connection, '$memphis_schema_detachments', attempted, timeoutMs, body);
}
