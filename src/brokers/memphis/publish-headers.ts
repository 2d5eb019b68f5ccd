/** Headers of a message on its way to a Memphis broker (memphis-wire 4.2). There is always one: without any it could fall over. */

import type { HeaderLines, HeaderList } from '../../connection/port.ts';
import type { OutgoingMessage } from '../../model/broker.ts';
import { fromUserHeaders, OWN_ID_PREFIX } from '../jetstream/headers.ts';
import { ownId } from '../jetstream/own-id.ts';

/** The same as it is sent. Names and values are checked there, or our own. */
export function publishLines(message: OutgoingMessage, connectionId: string): HeaderLines {
  return publishHeaders(message, connectionId)
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join('');
}

/** The broker tells repeats by `msg-id`, not by the header of NATS. */
export function publishHeaders(
  { msgId, producerName, partitionKey, headers }: OutgoingMessage,
  connectionId: string,
): HeaderList {
  return [
    ...fromUserHeaders(headers).filter(([name]) => name !== 'msg-id'),
    ['$memphis_connectionId', connectionId],
    ['$memphis_producedBy', producerName],
    ...(partitionKey === undefined
      ? []
      : [['$memphis_partitionKey', encodeURIComponent(partitionKey.toWellFormed())] as const]),
    ...(msgId === undefined
      ? [['msg-id', `${OWN_ID_PREFIX}${ownId()}`] as const]
      : fromUserHeaders({ 'msg-id': msgId })),
  ];
}
