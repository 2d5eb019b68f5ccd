/** Registering a member of a group (memphis-wire 2.5): a row in the broker's lists, without which it keeps no dead letters. */

import type { ClientIdentity, Connection } from '../../../connection/port.ts';
import type { Json } from '../../jetstream/wire/api.ts';
import { ask, type Member, memberBody } from './control.ts';

export interface ConsumerCreation extends Partial<Member> {
  readonly station: string;
  readonly group: string;
  /** Left out: that of the group. */
  readonly name?: string;
  readonly ackWaitMs: number;
  /** 1 to 10. */
  readonly maxDeliveries: number;
  /** From 1 up; more than 1 only with `lastMessages` -1. */
  readonly startSequence: number;
  /** -1: does not say. */
  readonly lastMessages: number;
}

/*
 * $memphis_consumer_creations
 * { name, station_name, connection_id, consumer_type, consumers_group, max_ack_time_ms, max_msg_deliveries,
 *   start_consume_from_sequence, last_messages, req_version, username, app_id, sdk_lang }
 * Both start fields must be there: without `last_messages` a group would begin with what comes from now on.
 */
export function consumerCreation(wanted: ConsumerCreation, identity: ClientIdentity): Json {
  return {
    ...memberBody(wanted.name ?? wanted.group, wanted, identity),
    consumer_type: 'application',
    consumers_group: wanted.group,
    max_ack_time_ms: wanted.ackWaitMs,
    max_msg_deliveries: wanted.maxDeliveries,
    start_consume_from_sequence: wanted.startSequence,
    last_messages: wanted.lastMessages,
  };
}

/* { schema_update, partitions_update: { partitions_list }, error }; most refusals are text, and a second reply follows */
/** Makes a missing station, so look first. @throws MemphisError as the broker refuses */
export async function registerConsumer(
  connection: Connection,
  wanted: ConsumerCreation,
  timeoutMs: number,
): Promise<Json> {
  const attempted = `register group ${wanted.group} at station ${wanted.station}`;
  const body = consumerCreation(wanted, connection.identity);
  return await ask(connection, '$memphis_consumer_creations', attempted, timeoutMs, body);
}
