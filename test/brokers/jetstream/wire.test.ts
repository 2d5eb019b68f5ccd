/** What goes over the wire: builders and parsers by table. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deadLetterHeaders } from '../../../src/brokers/jetstream/dead-letters.ts';
import { toDelivery } from '../../../src/brokers/jetstream/delivery.ts';
import { fromUserHeaders, toUserHeaders } from '../../../src/brokers/jetstream/headers.ts';
import { ackPayload, parseAckSubject } from '../../../src/brokers/jetstream/wire/ack.ts';
import { parseReply } from '../../../src/brokers/jetstream/wire/api.ts';
import { frameSize, parsePubAck } from '../../../src/brokers/jetstream/wire/publish.ts';
import { deleteMessage, stationStreamConfig } from '../../../src/brokers/jetstream/wire/streams.ts';
import type { Connection, Frame, HeaderList } from '../../../src/connection/port.ts';
import { isMemphisError } from '../../../src/model/errors.ts';
import { makeLane } from '../../support/lanes.ts';

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
const frame = (fields: Partial<Frame>): Frame => ({
  subject: 's',
  reply: '',
  headers: [],
  status: 0,
  statusText: '',
  data: new Uint8Array(),
  ...fields,
});
const json = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));

test('the reply subject of a delivery tells where it stands, with and without a domain', () => {
  const plain = parseAckSubject('$JS.ACK.pu#one$1.grp#a.2.3.11.1795413091860999800.7');
  assert.deepEqual(plain, {
    stream: 'pu#one$1',
    deliveryCount: 2,
    sequence: 3,
    consumerSequence: 11,
    timestamp: new Date(1795413091860),
    pending: 7,
  });
  assert.deepEqual(parseAckSubject('$JS.ACK.hub.ACC.pu#one$1.grp#a.2.3.11.1795413091860999800.7.tok'), plain);
  assert.throws(
    () => parseAckSubject('_INBOX.x'),
    (error) => isMemphisError(error, 'BROKER_REFUSED'),
  );
});

test('settling says what the protocol says', () => {
  assert.equal(text(ackPayload.ack), '+ACK');
  assert.equal(text(ackPayload.term), '+TERM');
  assert.equal(text(ackPayload.inProgress), '+WPI');
  assert.equal(text(ackPayload.nak(0)), '-NAK');
  assert.equal(text(ackPayload.nak(1500)), '-NAK {"delay":1500000000}');
  assert.equal(text(ackPayload.nak(Number.MAX_VALUE)), '-NAK {"delay":31536000000000000}', 'no overflow');
});

test('a PubAck, a duplicate, nobody and a refusal are told apart', () => {
  assert.deepEqual(parsePubAck('s', frame({ data: json({ stream: 's', seq: 4 }) })), { sequence: 4, duplicate: false });
  assert.deepEqual(parsePubAck('s', frame({ data: json({ stream: 's', seq: 4, duplicate: true }) })), {
    sequence: 4,
    duplicate: true,
  });
  assert.equal(parsePubAck('s', frame({ status: 503 })), 'nobody');
  const refusal = json({ error: { code: 503, err_code: 10077, description: 'maximum bytes exceeded' }, seq: 0 });
  assert.throws(
    () => parsePubAck('s', frame({ data: refusal })),
    (error) => isMemphisError(error, 'STORAGE_FULL'),
  );
  assert.throws(
    () => parsePubAck('s', frame({ data: json({}) })),
    (error) => isMemphisError(error, 'BROKER_REFUSED'),
  );
});

test('what a cluster says of a store that it cannot finish now is worth another try', () => {
  for (const error of [
    { code: 409, err_code: 10158, description: 'duplicate message id is in process' },
    { code: 503, description: 'raft: not leader' },
    { code: 503, err_code: 10077, description: 'store is closed' },
    { code: 503, err_code: 10008, description: 'JetStream system temporarily unavailable' },
    { code: 500, err_code: 10007, description: 'JetStream cluster not assigned to this server' },
  ]) {
    assert.throws(
      () => parsePubAck('s', frame({ data: json({ error }) })),
      (thrown) => isMemphisError(thrown, 'JETSTREAM_UNAVAILABLE') && thrown.retryable,
      error.description,
    );
  }
});

test('a duplicate without a sequence is not taken for stored', () => {
  assert.throws(
    () => parsePubAck('s', frame({ data: json({ stream: 's', seq: 0, duplicate: true }) })),
    (error) => isMemphisError(error, 'JETSTREAM_UNAVAILABLE') && error.retryable,
  );
});

test('deleting what is gone tells so, in all the words that servers have for it', async () => {
  const deleting = (answer: object): Promise<boolean> => {
    const connection = { request: async () => frame({ data: json(answer) }) } as unknown as Connection;
    return deleteMessage(connection, 's', 7, 1_000);
  };
  assert.equal(await deleting({ success: true }), true);
  assert.equal(await deleting({ error: { code: 400, err_code: 10043, description: 'sequence 7 not found' } }), false);
  assert.equal(await deleting({ error: { code: 500, err_code: 10057, description: 'no message found' } }), false);
  await assert.rejects(
    deleting({ error: { code: 500, err_code: 10057, description: 'message delete not permitted' } }),
    (error) => isMemphisError(error, 'BROKER_REFUSED'),
  );
});

test('an answer that is no JSON object is a typed error, whatever it holds', () => {
  for (const data of ['', 'x', '[]', 'null', '7', '{"error":']) {
    assert.throws(
      () => parseReply('look', new TextEncoder().encode(data)),
      (error) => isMemphisError(error, 'BROKER_REFUSED'),
      data,
    );
  }
});

test('a station lies on a stream as a Memphis broker would lay it', () => {
  const settings = {
    partitionsNumber: 1,
    retentionType: 'message_age_sec',
    retentionValue: 3600,
    storageType: 'file',
    replicas: 1,
    idempotencyWindowMs: 120_000,
    sendPoisonMsgToDls: true,
  } as const;
  assert.deepEqual(stationStreamConfig('my#station$1', settings), {
    name: 'my#station$1',
    subjects: ['my#station$1.>'],
    retention: 'limits',
    discard: 'old',
    storage: 'file',
    num_replicas: 1,
    max_msgs: -1,
    max_bytes: -1,
    max_age: 3_600_000_000_000,
    duplicate_window: 120_000_000_000,
  });
  const byCount = stationStreamConfig('s$1', { ...settings, retentionType: 'messages', retentionValue: 5 });
  assert.deepEqual([byCount.max_msgs, byCount.max_age], [5, 0]);
  assert.equal(stationStreamConfig('s$1', { ...settings, retentionType: 'ack_based' }).retention, 'interest');
});

test('users see their headers and cannot send reserved or impossible ones', () => {
  const wire: HeaderList = [
    ['a', '1'],
    ['a', '2'],
    ['$memphis_producedBy', 'p'],
    ['Nats-Msg-Id', 'x'],
    ['msg-id', 'm'],
  ];
  assert.deepEqual(toUserHeaders(wire), { a: '1', 'msg-id': 'm' });
  assert.deepEqual(fromUserHeaders({ a: ' 1 ' }), [['a', '1']]);
  for (const headers of [
    { $memphis_x: '1' },
    { 'Nats-Rollup': 'all' },
    { 'a:b': '1' },
    { 'a b': '1' },
    { '': '1' },
    { ä: '1' },
    { a: '1\r\nb: 2' },
  ]) {
    assert.throws(
      () => fromUserHeaders(headers),
      (error) => isMemphisError(error, 'INVALID_MESSAGE'),
      JSON.stringify(headers),
    );
  }
});

test('a dead letter keeps payload and headers, hides what a server would act on, and fits under the limit', () => {
  const delivery = toDelivery(
    frame({
      reply: '$JS.ACK.o$1.g.2.3.11.1795413091860999800.0',
      headers: [
        ['a', '1'],
        ['Nats-Msg-Id', 'x'],
      ],
      data: new Uint8Array(100),
    }),
    'o',
    makeLane({ stream: 'o$1', durable: 'g', partition: 1 }),
  );
  const headers = Object.fromEntries(deadLetterHeaders(delivery, 'g', 'line 1\r\nline 2', 2_000));
  assert.equal(headers.a, '1');
  assert.equal(headers['$memphis_kept_Nats-Msg-Id'], 'x');
  assert.equal(headers['Nats-Msg-Id'], 'o$1:3:1795413091860:g');
  assert.equal(headers.$memphis_dls_reason, 'line 1 line 2');
  const long = deadLetterHeaders(delivery, 'g', 'é'.repeat(5_000), 700);
  assert.ok(frameSize(long, new Uint8Array(100)) <= 700);
});
