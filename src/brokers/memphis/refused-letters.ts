/**
 * What producers of a Memphis station were refused, because it breaks the schema: rows of the broker that are of no group,
 * and of no stored message (memphis-wire 6.5).
 */

import { type DeadLetterRecord, REFUSED } from '../../model/dead-letter.ts';
import { isMemphisError } from '../../model/errors.ts';
import { mapAtOnce } from '../jetstream/at-once.ts';
import { toUserHeaders } from '../jetstream/headers.ts';
import { streamOf } from '../jetstream/stations.ts';
import { idOf, parseDetails, type Row } from './dead-letter-rows.ts';
import type { HttpApi } from './http-api.ts';
import type { Letter } from './letter.ts';

/** Rows whose particulars are asked for at the same time. */
const AT_ONCE = 8;
/** What each SDK puts before the reason, or its Python form. */
const prefix = /^(memphis: )?Schema validation has failed: /;

/** One went in the meantime where the broker does not know it any more. */
export async function refusedLetters(api: HttpApi, station: string, rows: readonly Row[]): Promise<readonly Letter[]> {
  const letters = await mapAtOnce(rows, (row) => letterOf(api, station, row), AT_ONCE);
  return letters.flat();
}

async function letterOf(api: HttpApi, station: string, row: Row): Promise<readonly Letter[]> {
  try {
    const details = parseDetails(await api.get('stations/getPoisonMessageJourney', { message_id: row.id }));
    const record: DeadLetterRecord = {
      id: idOf(row.id, REFUSED),
      station,
      group: REFUSED,
      messageId: `${streamOf(station, 0)}:0`,
      partition: 0,
      sequence: 0,
      deliveryCount: 0,
      timestamp: new Date(row.timeSent),
      setAsideAt: details.updatedAt,
      reason: details.error.replace(prefix, ''),
      headers: toUserHeaders(row.headers),
      data: details.data,
    };
    return [{ row, record, headers: row.headers }];
  } catch (error) {
    if (isMemphisError(error, 'BROKER_REFUSED')) return [];
    throw error;
  }
}

/** Nothing is said of those that were not there. */
export async function dropRefused(api: HttpApi, station: string, letters: readonly Letter[]): Promise<void> {
  const ids = letters.map(({ row }) => row.id);
  await api.post('stations/dropDlsMessages', { dls_type: 'schema', dls_message_ids: ids, station_name: station });
}
