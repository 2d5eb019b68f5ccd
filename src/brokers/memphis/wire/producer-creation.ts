/** Registering a producer (memphis-wire 2.3): a row in the broker's lists, and what the station is like in answer. */

import type { ClientIdentity, Connection } from '../../../connection/port.ts';
import type { StationSchema } from '../../../model/schema.ts';
import { isJson, type Json } from '../../jetstream/wire/api.ts';
import { ask, parseObject, partitionsIn, REQUEST_VERSION, SDK_LANGUAGE } from './control.ts';
import { parseSchema } from './schema-update.ts';

export interface ProducerCreation {
  readonly name: string;
  readonly station: string;
  readonly appId: string;
}

export interface RegisteredProducer {
  /** Empty where the station has none. */
  readonly partitions: readonly number[];
  readonly schema?: StationSchema;
  /** Whether messages that fail the schema are to be reported. */
  readonly reportsViolations: boolean;
  /** Whether somebody wants to be told of them. */
  readonly sendsNotifications: boolean;
  /** Partitions whose messages go through a function of the broker's cloud first, and which. */
  readonly functions: ReadonlyMap<number, number>;
}

/*
 * $memphis_producer_creations
 * { name, station_name, connection_id, producer_type, req_version, username, app_id, sdk_lang }
 */
export function producerCreation(wanted: ProducerCreation, { connectionId, username }: ClientIdentity): Json {
  return {
    name: wanted.name,
    station_name: wanted.station,
    connection_id: connectionId,
    producer_type: 'application',
    req_version: REQUEST_VERSION,
    username,
    app_id: wanted.appId,
    sdk_lang: SDK_LANGUAGE,
  };
}

/*
 * { schema_update, partitions_update: { partitions_list }, schemaverse_to_dls, send_notification, station_version,
 *   station_partitions_first_functions: { <partition>: <id> } | null, error }
 */
export function parseProducerCreation(attempted: string, data: Uint8Array): RegisteredProducer {
  const reply = parseObject(attempted, data);
  const schema = parseSchema(reply.schema_update);
  const first = reply.station_partitions_first_functions;
  const functions = Number(reply.station_version ?? 0) >= 2 && isJson(first) ? Object.entries(first) : [];
  return {
    partitions: partitionsIn(reply),
    reportsViolations: reply.schemaverse_to_dls === true,
    sendsNotifications: reply.send_notification === true,
    functions: new Map(functions.map(([partition, id]) => [Number(partition), Number(id)])),
    ...(schema === undefined ? {} : { schema }),
  };
}

/** Makes a missing station, so look first. @throws MemphisError as the broker refuses */
export async function registerProducer(
  connection: Connection,
  wanted: ProducerCreation,
  timeoutMs: number,
): Promise<RegisteredProducer> {
  const attempted = `register producer ${wanted.name} at station ${wanted.station}`;
  const body = producerCreation(wanted, connection.identity);
  return parseProducerCreation(
    attempted,
    await ask(connection, { subject: '$memphis_producer_creations', body, attempted, timeoutMs }),
  );
}
