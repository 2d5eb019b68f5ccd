/** Headers of a message on its way to a Memphis broker (memphis-wire 4.2). There is always one: without any it could fall over. */

import type { HeaderLines } from '../../connection/port.ts';
import type { OutgoingMessage } from '../../model/broker.ts';
import { OWN_ID_PREFIX, userLine } from '../jetstream/headers.ts';
import { ownId } from '../jetstream/own-id.ts';

/** The broker tells repeats by `msg-id`, not by the header of NATS. @throws MemphisError `INVALID_MESSAGE` */
export function publishLines(
  { msgId, producerName, partitionKey, headers }: OutgoingMessage,
  connectionId: string,
): HeaderLines {
  let lines = '';
  for (const name of Object.keys(headers)) if (name !== 'msg-id') lines += userLine(name, headers[name] as string);
  lines += `$memphis_connectionId: ${connectionId}\r\n$memphis_producedBy: ${producerName}\r\n`;
  if (partitionKey !== undefined) {
    lines += `$memphis_partitionKey: ${encodeURIComponent(partitionKey.toWellFormed())}\r\n`;
  }
  return lines + (msgId === undefined ? `msg-id: ${OWN_ID_PREFIX}${ownId()}\r\n` : userLine('msg-id', msgId));
}
