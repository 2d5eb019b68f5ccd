/** A message of a dead-letter stream -> a dead letter as users see it, and what it was before it became one. */

import type { HeaderList } from '../../connection/port.ts';
import type { DeadLetterRecord } from '../../model/dead-letter.ts';
import { decodeKey } from './delivery.ts';
import { headerOf, isOwnId, toUserHeaders } from './headers.ts';
import { KEPT_PREFIX } from './kept-headers.ts';
import { streamOf } from './stations.ts';
import type { StreamMessage } from './wire/read.ts';

/** Headers that a message did not have before it was set aside. */
const OWN_HEADERS = /^(nats-|\$memphis_(dls|kept|retry)_)/i;

function count(text: string | undefined): number {
  const number = Number(text);
  return Number.isSafeInteger(number) && number > 0 ? number : 0;
}

/** One that others put there has no origin: partition, sequence and count are 0 then. */
export function toDeadLetter(station: string, found: StreamMessage): DeadLetterRecord {
  const { headers, subject, sequence: id, timestamp: setAsideAt, data } = found;
  const of = (name: string): string | undefined => headerOf(headers, `$memphis_dls_${name}`);
  const partition = count(of('partition'));
  const sequence = count(of('sequence'));
  const storedMs = Date.parse(of('stored_at') ?? '');
  const key = headerOf(headers, '$memphis_partitionKey');
  return {
    id,
    station,
    group: of('group') ?? subject.slice(subject.indexOf('.') + 1).replaceAll('#', '.'),
    messageId: `${streamOf(station, partition)}:${sequence}`,
    partition,
    sequence,
    deliveryCount: count(of('deliveries')),
    timestamp: Number.isNaN(storedMs) ? setAsideAt : new Date(storedMs),
    setAsideAt,
    reason: of('reason') ?? '',
    headers: toUserHeaders(headers),
    ...(key === undefined ? {} : { partitionKey: decodeKey(key) }),
    data,
  };
}

/**
 * The headers that the message had. Those of the server are not among them: put back, they would be acted on, or the
 * server would refuse the message for them (jetstream-servers).
 */
export function originalHeaders(headers: HeaderList): HeaderList {
  return headers
    .filter(([name, value]) => !isOwnId(name, value))
    .map(([name, value]) => [name === `${KEPT_PREFIX}msg-id` ? 'msg-id' : name, value] as const)
    .filter(([name]) => !OWN_HEADERS.test(name));
}
