/** Options of `createStation` -> settings of a station, each with a value. Pure. */

import { MemphisError } from './errors.ts';
import type { Given } from './option-spec.ts';
import { DEFAULT_IDEMPOTENCY_WINDOW_MS, stationOptions } from './options/stations.ts';
import { resolveOptions } from './resolve-options.ts';
import { checkName, type StationSettings } from './station.ts';

/** Options of `createStation`. */
export interface StationOptions extends Given<typeof stationOptions> {}

function refuse(option: string, why: string): never {
  throw new MemphisError('INVALID_OPTION', `createStation: ${option} ${why}.`, { option });
}

/**
 * The settings that options mean for a station.
 *
 * @param name the station's, checked
 * @throws MemphisError `INVALID_OPTION`, `INVALID_NAME` (of `dlsStation`)
 */
export function toStationSettings(name: string, given: StationOptions | undefined): StationSettings {
  const { idempotencyWindowMs, ...options } = resolveOptions('createStation', stationOptions, given);
  const { retentionType, retentionValue } = options;
  const retentionMs = retentionType === 'message_age_sec' ? retentionValue * 1000 : Number.POSITIVE_INFINITY;
  if (idempotencyWindowMs !== undefined && idempotencyWindowMs > retentionMs) {
    refuse('idempotencyWindowMs', `(${idempotencyWindowMs}) must not exceed the retention (${retentionMs} ms)`);
  }
  const dlsStation = options.dlsStation === '' ? '' : checkName('station', options.dlsStation);
  if (dlsStation === name) refuse('dlsStation', 'must be another station than the one whose dead letters it gets');
  return {
    ...options,
    dlsStation,
    schemaName: options.schemaName === '' ? '' : checkName('schema', options.schemaName),
    idempotencyWindowMs: idempotencyWindowMs ?? Math.min(DEFAULT_IDEMPOTENCY_WINDOW_MS, retentionMs),
  };
}
