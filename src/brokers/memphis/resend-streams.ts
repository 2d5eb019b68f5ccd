/** The streams that keep resends, and what became of them. */

import type { Connection } from '../../connection/port.ts';
import { toInternalName } from '../../model/station.ts';
import { isJson, parseJson } from '../jetstream/wire/api.ts';
import { readOnce } from '../jetstream/wire/read.ts';

/** The stream of what members have settled, and of who of us has said so: for all stations. */
export const ACKS = 'memphis_serverless_resends';
export const ACK_SUBJECT = '$memphis_pm_acks';

/** The stream that keeps resends for a group. */
export function resendStreamOf(station: string, group: string): string {
  return `${resendStreamsOf(station)}${toInternalName(group)}`;
}
/** How the names of those of a station begin. */
export function resendStreamsOf(station: string): string {
  return `${toInternalName(station)}$resent$`;
}

/** Which dead letters members have told the broker to be done with, since then, on whatever client. */
export async function acksSince(
  connection: Connection,
  since: Date,
  limitMs: number,
): Promise<readonly { readonly row: number; readonly group: string; readonly at: Date }[]> {
  const all = { stream: ACKS, filterSubject: ACK_SUBJECT, from: since, limit: Number.MAX_SAFE_INTEGER };
  const acks = await readOnce(connection, all, limitMs);
  return acks.map(({ data, timestamp }) => ({ ...parse(data), at: timestamp }));
}

function parse(data: Uint8Array): { readonly row: number; readonly group: string } {
  try {
    const ack = parseJson(data);
    if (isJson(ack)) return { row: Number(ack.id), group: String(ack.cg_name) };
  } catch {
    // of somebody else
  }
  return { row: 0, group: '' };
}
