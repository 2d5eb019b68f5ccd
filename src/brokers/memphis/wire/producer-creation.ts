/** Registering a producer (memphis-wire 2.3): a row in the broker's lists, and what the station is like in answer. */

import type { ClientIdentity, Connection } from '../../../connection/port.ts';
import type { Json } from '../../jetstream/wire/api.ts';
import { ask, type Member, memberBody } from './control.ts';

/*
 * $memphis_producer_creations
 * { name, station_name, connection_id, producer_type, req_version, username, app_id, sdk_lang }
 */
export function producerCreation(wanted: Member, identity: ClientIdentity): Json {
  return {
    ...memberBody(wanted.name, wanted, identity),
    producer_type: 'application',
  };
}

/*
 * { schema_update, partitions_update: { partitions_list }, schemaverse_to_dls, send_notification, station_version,
 *   station_partitions_first_functions, error }; partitions are told by the station's streams
 */
/** Makes a missing station, so look first. @throws MemphisError as the broker refuses */
export async function registerProducer(connection: Connection, wanted: Member, timeoutMs: number): Promise<Json> {
  const attempted = `register producer ${wanted.name} at station ${wanted.station}`;
  const body = producerCreation(wanted, connection.identity);
  return await ask(connection, '$memphis_producer_creations', attempted, timeoutMs, body);
}
