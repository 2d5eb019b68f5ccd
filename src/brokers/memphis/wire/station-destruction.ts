/** Removing a station (memphis-wire 2.7). */

import type { Connection } from '../../../connection/port.ts';
import type { Json } from '../../jetstream/wire/api.ts';
import { ask } from './control.ts';

/* $memphis_station_destructions { station_name, username } */
export function stationDestruction(name: string, username: string): Json {
  return { station_name: name, username };
}

/** Streams, rows and dead letters go. @throws MemphisError `STATION_NOT_FOUND` */
export async function destroyStation(connection: Connection, name: string, timeoutMs: number): Promise<void> {
  const attempted = `destroy station ${name}`;
  const body = stationDestruction(name, connection.identity.username);
  await ask(connection, '$memphis_station_destructions', attempted, timeoutMs, body);
}
