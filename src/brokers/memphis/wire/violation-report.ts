/** Telling the broker of a message that broke its station's schema, and of that somebody (memphis-wire 6.5, 2.9). */

import type { HeaderList } from '../../../connection/port.ts';
import type { Json } from '../../jetstream/wire/api.ts';

export interface Violation {
  readonly station: string;
  readonly partition: number;
  readonly producer: string;
  readonly connectionId: string;
  readonly headers: HeaderList;
  readonly data: Uint8Array;
  readonly reason: string;
}

/** What no text in the broker's database may hold: the report would be read again and again, and never kept. */
function withoutNul(text: string): string {
  return text.replaceAll('\0', '');
}

/**
 * $memphis_schemaverse_dls, never answered
 * { station_name, producer: { name, connection_id }, message: { data: hex, headers: {..} }, validation_error, partition_number }
 *
 * Always an object of headers, or the broker falls over (11.1); always whole bytes, or there are ten rows of it. The station
 * by its outer name, which every release knows.
 */
export function violationReport(of: Violation): Json {
  const headers = of.headers.map(([name, value]) => [withoutNul(name), withoutNul(value)] as const);
  return {
    station_name: of.station,
    producer: { name: of.producer, connection_id: of.connectionId },
    message: {
      data: Buffer.from(of.data.buffer, of.data.byteOffset, of.data.length).toString('hex'),
      headers: Object.fromEntries(headers),
    },
    validation_error: `Schema validation has failed: ${withoutNul(of.reason)}`,
    partition_number: of.partition,
  };
}

/* $memphis_notifications { title, msg, type, code }, never answered */
export function violationNotification({ station, producer, reason, data }: Violation): Json {
  return {
    title: 'Schema validation has failed',
    msg: `Station: ${station}\nProducer: ${producer}\nError: ${withoutNul(reason)}`,
    type: 'schema_validation_fail_alert',
    code: withoutNul(new TextDecoder().decode(data)),
  };
}
