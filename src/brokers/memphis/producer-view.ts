/** What those who produce into a station need to know of its streams. */

import type { Connection } from '../../connection/port.ts';
import { isStreamMissing, streamOf } from '../jetstream/stations.ts';
import { streamConfig } from '../jetstream/wire/streams.ts';
import type { ProducerView } from './stations.ts';

const NS_PER_MS = 1_000_000;

/** Of the first partition, like which all are; nothing for a station without numbered ones. */
export async function producerView(connection: Connection, station: string, limitMs: number): Promise<ProducerView> {
  try {
    const config = await streamConfig(connection, streamOf(station, 1), limitMs);
    const maxBytes = Number(config.max_bytes ?? -1);
    return {
      idempotencyWindowMs: Number(config.duplicate_window ?? 0) / NS_PER_MS || 100,
      ...(maxBytes > 0 ? { room: { maxBytes, isOnFile: config.storage !== 'memory' } } : {}),
    };
  } catch (error) {
    if (isStreamMissing(error)) return {};
    throw error;
  }
}
