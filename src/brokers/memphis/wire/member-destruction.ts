/** Taking producers and members of groups out of the broker's lists (memphis-wire 2.4, 2.6). */

import type { ClientIdentity, Connection } from '../../../connection/port.ts';
import type { Json } from '../../jetstream/wire/api.ts';
import { ask } from './control.ts';

/* $memphis_producer_destructions, $memphis_consumer_destructions { name, station_name, username, connection_id, req_version } */
export function memberDestruction(name: string, station: string, { connectionId, username }: ClientIdentity): Json {
  return { name, station_name: station, username, connection_id: connectionId, req_version: 1 };
}

/** All rows of that name and connection go; none is success too. */
export async function destroyProducer(
  connection: Connection,
  name: string,
  station: string,
  timeoutMs: number,
): Promise<void> {
  const attempted = `take producer ${name} out of station ${station}`;
  const body = memberDestruction(name, station, connection.identity);
  await ask(connection, '$memphis_producer_destructions', attempted, timeoutMs, body);
}
