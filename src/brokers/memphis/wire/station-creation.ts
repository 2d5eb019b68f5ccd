/** Making a station (memphis-wire 2.7, 8). */

import type { Connection } from '../../../connection/port.ts';
import { isMemphisError } from '../../../model/errors.ts';
import type { StationSettings } from '../../../model/station.ts';
import type { Json } from '../../jetstream/wire/api.ts';
import { ask } from './control.ts';

/** With more the broker makes streams one after the other for hours, and answers nobody meanwhile (11.1). */
export const MAX_PARTITIONS = 10_000;

/*
 * $memphis_station_creations
 * { name, retention_type, retention_value, storage_type, replicas, idempotency_window_in_ms, schema_name,
 *   dls_configuration: { poison, Schemaverse }, username, tiered_storage_enabled, partitions_number, dls_station }
 * Numbers are 32 bit wide in the broker's tables: more would leave streams behind that block the name (8.1).
 */
export function stationCreation(name: string, settings: StationSettings, username: string): Json {
  return {
    name,
    retention_type: settings.retentionType,
    retention_value: settings.retentionValue,
    storage_type: settings.storageType,
    replicas: settings.replicas,
    idempotency_window_in_ms: settings.idempotencyWindowMs,
    schema_name: settings.schemaName,
    dls_configuration: { poison: settings.sendPoisonMsgToDls, Schemaverse: settings.sendSchemaFailedMsgToDls },
    username,
    tiered_storage_enabled: settings.tieredStorageEnabled,
    partitions_number: Math.min(settings.partitionsNumber, MAX_PARTITIONS),
    dls_station: settings.dlsStation,
  };
}

/**
 * Success says little: it is also the answer for a station that exists, a schema that does not, and a user who is
 * unknown (8.4), so look afterwards.
 *
 * @throws MemphisError as the broker refuses
 */
export async function createStation(
  connection: Connection,
  name: string,
  settings: StationSettings,
  timeoutMs: number,
): Promise<void> {
  const attempted = `create station ${name}`;
  const body = stationCreation(name, settings, connection.identity.username);
  await ask(connection, '$memphis_station_creations', attempted, timeoutMs, body);
}

/** Whether somebody else made it at the same time, with these settings or with others (8.3): look whether it is there. */
export function isRace(error: unknown): boolean {
  return isMemphisError(error, 'JETSTREAM_UNAVAILABLE') || isMemphisError(error, 'STATION_CONFLICT');
}
