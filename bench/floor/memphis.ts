/** The floor on a Memphis broker: what it says in CONNECT, on messages, and to register, beside the first pull or message. */

import { settings } from '../functions/settings.ts';
import { Floor } from './session.ts';

const { host, port, durable } = settings();
const { BENCH_USERNAME = '', BENCH_PASSWORD = '', BENCH_WAITS_FOR_INFO, BENCH_IS_NEW } = process.env;
const STATION = 's';

const hex = (digits: number): string =>
  Array.from({ length: digits }, () => Math.floor(Math.random() * 16).toString(16)).join('');

/** A session and its registration. */
export function dialMemphis(role: 'consumer' | 'producer'): Floor {
  const id = [8, 4, 4, 4, 12].map(hex).join('-');
  const floor = new Floor({
    host,
    port,
    waitsForInfo: BENCH_WAITS_FOR_INFO === '1',
    connect: { name: `${id}::${BENCH_USERNAME}`, user: `${BENCH_USERNAME}$1`, pass: BENCH_PASSWORD },
    headers: `$memphis_connectionId: ${id}\r\n$memphis_producedBy: floor\r\n`,
    idHeader: 'msg-id',
  });
  const member = { station_name: STATION, connection_id: id, username: BENCH_USERNAME, req_version: 4, app_id: id };
  const group = {
    ...member,
    name: durable,
    consumer_type: 'application',
    consumers_group: durable,
    max_ack_time_ms: 30_000,
    max_msg_deliveries: 10,
    start_consume_from_sequence: 1,
    last_messages: -1,
  };
  if (role === 'consumer' && BENCH_IS_NEW === '1') floor.request(...makeDurable());
  const [subject, body] =
    role === 'consumer'
      ? ['$memphis_consumer_creations', group]
      : ['$memphis_producer_creations', { ...member, name: 'floor', producer_type: 'application' }];
  floor.request(subject, Buffer.from(JSON.stringify(body))).catch(() => {}); // nobody waits for it
  return floor;
}

/** The durable as the broker makes it, for a group that is not there yet. */
function makeDurable(): [subject: string, body: Buffer] {
  const { stream } = settings();
  const config = {
    durable_name: durable,
    deliver_policy: 'all',
    ack_policy: 'explicit',
    ack_wait: 30_000_000_000,
    max_deliver: 10,
    filter_subject: `${stream}.final`,
    replay_policy: 'instant',
    max_ack_pending: -1,
  };
  const body = Buffer.from(JSON.stringify({ stream_name: stream, config }));
  return [`$JS.API.CONSUMER.DURABLE.CREATE.${stream}.${durable}`, body];
}
