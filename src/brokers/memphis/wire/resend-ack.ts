/**
 * Acknowledging a dead letter that was resent (memphis-wire 6.3): the group goes out of its row. Sent twice, or with another
 * name, it would take the row from a group that still needs it, so it is sent once, with the name that the broker has.
 */

import type { Connection } from '../../../connection/port.ts';
import { encodeJson, type Json } from '../../jetstream/wire/api.ts';

/* $memphis_pm_acks { id: number, cg_name }, never answered */
export function resendAck(row: number, group: string): Json {
  return { id: row, cg_name: group };
}

export function sendResendAck(connection: Connection, row: number, group: string): void {
  connection.publish('$memphis_pm_acks', encodeJson(resendAck(row, group)));
}
