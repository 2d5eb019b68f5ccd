/** What is put on the wire for a Memphis broker, and what is made of its answers, against recordings of a real one (1.4.4). */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import protobuf from 'protobufjs';
import { parsePubAck } from '../../../src/brokers/jetstream/wire/publish.ts';
import { consumerCreation } from '../../../src/brokers/memphis/wire/consumer-creation.ts';
import { parseAnswer } from '../../../src/brokers/memphis/wire/control.ts';
import { memberDestruction } from '../../../src/brokers/memphis/wire/member-destruction.ts';
import { headerBlock, poisonAdvisory } from '../../../src/brokers/memphis/wire/poison-advisory.ts';
import { producerCreation } from '../../../src/brokers/memphis/wire/producer-creation.ts';
import { resendAck } from '../../../src/brokers/memphis/wire/resend-ack.ts';
import { schemaAttachment, schemaDetachment } from '../../../src/brokers/memphis/wire/schema-attachment.ts';
import { schemaCreation, schemaMeanings } from '../../../src/brokers/memphis/wire/schema-creation.ts';
import { parseSchema, toRegistered } from '../../../src/brokers/memphis/wire/schema-update.ts';
import { stationCreation } from '../../../src/brokers/memphis/wire/station-creation.ts';
import { stationDestruction } from '../../../src/brokers/memphis/wire/station-destruction.ts';
import { violationNotification, violationReport } from '../../../src/brokers/memphis/wire/violation-report.ts';
import { isMemphisError } from '../../../src/model/errors.ts';
import { checkName, type StationSettings, toInternalName } from '../../../src/model/station.ts';

const read = (name: string) =>
  JSON.parse(readFileSync(join(import.meta.dirname, `../../fixtures/memphis/${name}.json`), 'utf8'));
const recorded: Record<string, Record<'js' | 'go' | 'py', string[]>> = read('sdk-requests');
const replies: { replies: Record<string, string[]>; pushes: string[]; pubAcks: string[] } = read('replies');

// biome-ignore lint/suspicious/noExplicitAny: recorded JSON
type Recorded = any;

/** Each request that an SDK sent on a subject, as ours for the same intention. */
const builders: Record<string, (sent: Recorded) => unknown> = {
  $memphis_station_creations: (sent) =>
    stationCreation(
      sent.name,
      {
        partitionsNumber: sent.partitions_number,
        retentionType: sent.retention_type,
        retentionValue: sent.retention_value,
        storageType: sent.storage_type,
        replicas: sent.replicas,
        idempotencyWindowMs: sent.idempotency_window_in_ms,
        sendPoisonMsgToDls: sent.dls_configuration.poison,
        sendSchemaFailedMsgToDls: sent.dls_configuration.Schemaverse,
        dlsStation: sent.dls_station,
        tieredStorageEnabled: sent.tiered_storage_enabled,
        schemaName: sent.schema_name,
      } as StationSettings,
      sent.username,
    ),
  $memphis_station_destructions: (sent) => stationDestruction(sent.station_name, sent.username),
  $memphis_producer_creations: (sent) =>
    producerCreation({ name: sent.name, station: sent.station_name, appId: sent.app_id }, identityOf(sent)),
  $memphis_consumer_creations: (sent) =>
    consumerCreation(
      {
        name: sent.name,
        station: sent.station_name,
        group: sent.consumers_group,
        ackWaitMs: sent.max_ack_time_ms,
        maxDeliveries: sent.max_msg_deliveries,
        startSequence: sent.start_consume_from_sequence,
        lastMessages: sent.last_messages,
        appId: sent.app_id,
      },
      identityOf(sent),
    ),
  $memphis_producer_destructions: (sent) => memberDestruction(sent.name, sent.station_name, identityOf(sent)),
  $memphis_consumer_destructions: (sent) => memberDestruction(sent.name, sent.station_name, identityOf(sent)),
  $memphis_schema_attachments: (sent) => schemaAttachment(sent.name, sent.station_name, sent.username),
  $memphis_schema_detachments: (sent) => schemaDetachment(sent.station_name, sent.username),
  $memphis_schema_creations: (sent) =>
    schemaCreation({ name: sent.name, type: sent.type, source: sent.schema_content }, sent.created_by_username),
  $memphis_pm_acks: (sent) => resendAck(sent.id, sent.cg_name),
};

const identityOf = (sent: Recorded) => ({ connectionId: sent.connection_id, username: sent.username });

for (const [subject, build] of Object.entries(builders)) {
  test(`what is sent on ${subject} is what the SDK for Node sends`, () => {
    const all = (recorded[subject]?.js ?? []).map((text): Recorded => JSON.parse(text));
    assert.ok(all.length > 0);
    for (const sent of all) assert.deepEqual(build(sent), sent);
  });
}

test('a report of a violation and its notification have the fields of the SDKs', () => {
  const [sent]: Recorded[] = (recorded.$memphis_schemaverse_dls?.js ?? []).map((text) => JSON.parse(text));
  const violation = {
    station: 's.x',
    partition: 1,
    producer: sent.producer.name,
    connectionId: sent.producer.connection_id,
    headers: Object.entries<string>(sent.message.headers),
    data: Buffer.from(sent.message.data, 'hex'),
    reason: 'why',
  };
  const report = violationReport(violation) as Recorded;
  assert.deepEqual(report.message, sent.message);
  assert.deepEqual(report.producer, sent.producer);
  assert.deepEqual(
    Object.keys(sent).filter((key) => !(key in report)),
    [],
  );
  const [told]: Recorded[] = (recorded.$memphis_notifications?.js ?? []).map((text) => JSON.parse(text));
  const notification = violationNotification(violation) as Recorded;
  assert.deepEqual(Object.keys(notification).sort(), Object.keys(told).sort());
  assert.deepEqual([notification.title, notification.type], [told.title, told.type]);
});

test('names are taken and refused as the broker does, and have its internal form', () => {
  const names: Recorded[] = read('names');
  assert.ok(names.length > 10);
  for (const { external, station_error: error, stream } of names) {
    const take = (): string => toInternalName(checkName('station', external));
    if (error === null) assert.equal(`${take()}$1`, stream, external);
    else assert.throws(take, { code: 'INVALID_NAME' }, JSON.stringify(external));
  }
});

/** How replies on a subject are read. */
const parsers: Record<string, (data: Uint8Array) => unknown> = {
  $memphis_producer_creations: (data) => toRegistered(parseAnswer('x', data)),
  $memphis_consumer_creations: (data) => toRegistered(parseAnswer('x', data)),
  $memphis_schema_creations: (data) => parseAnswer('x', data, schemaMeanings),
};

test('every recorded reply is read, or is an error of ours; also when it is cut off at any byte', () => {
  let count = 0;
  const attempt = (parse: (data: Uint8Array) => unknown, data: Uint8Array): unknown => {
    count += 1;
    try {
      return parse(data);
    } catch (error) {
      assert.ok(isMemphisError(error), String(error));
      return error;
    }
  };
  for (const [subject, texts] of Object.entries(replies.replies)) {
    const parse = parsers[subject] ?? ((data: Uint8Array) => parseAnswer('x', data));
    for (const text of texts) {
      const bytes = new TextEncoder().encode(text);
      const whole = attempt(parse, bytes);
      const isGood = text === '' || /"error":""/.test(text);
      assert.equal(whole instanceof Error, !isGood, `${subject}: ${text}`);
      for (let end = 1; end < bytes.length; end++) {
        const part = attempt(parse, bytes.subarray(0, end));
        assert.ok(part instanceof Error, `${subject}: ${text.slice(0, end)}`);
      }
    }
  }
  const frame = { subject: '', reply: '', headers: [], status: 0, statusText: '' };
  for (const text of replies.pubAcks) {
    const bytes = new TextEncoder().encode(text);
    for (let end = 0; end <= bytes.length; end++)
      attempt((data) => parsePubAck('s', { ...frame, data }), bytes.subarray(0, end));
  }
  assert.ok(count > 10_000);
});

test('what a reply tells is taken over: schema, flags', () => {
  for (const text of replies.replies.$memphis_producer_creations ?? []) {
    const reply = JSON.parse(text);
    if (reply.error !== '') continue;
    const told = toRegistered(parseAnswer('x', new TextEncoder().encode(text)));
    assert.equal(told.reportsViolations, reply.schemaverse_to_dls);
    assert.equal(told.schema?.name ?? '', reply.schema_update.schema_name);
    assert.equal(told.schema?.source ?? '', reply.schema_update.active_version.schema_content);
  }
  for (const text of replies.pushes) {
    const { UpdateType, init } = JSON.parse(text);
    assert.equal(parseSchema(init) === undefined, UpdateType === 2);
  }
});

test('refusals have codes by which programs can tell them', () => {
  const codeOf = (text: string, parse: (data: Uint8Array) => unknown): string => {
    try {
      parse(new TextEncoder().encode(text));
      return '';
    } catch (error) {
      return isMemphisError(error) ? error.code : String(error);
    }
  };
  const table = {
    'Stationsta.tion already exists': 'JETSTREAM_UNAVAILABLE',
    'Station  does not exist': 'STATION_NOT_FOUND',
    'memphis: Station x does not exist': 'STATION_NOT_FOUND',
    'Schema x does not exist': 'SCHEMA_NOT_FOUND',
    'user does not exist': 'PERMISSION_DENIED',
    'User x does not exist': 'PERMISSION_DENIED',
    'user u is not allowed to access station s': 'PERMISSION_DENIED',
    'deliver policy can not be updated (10012)': 'GROUP_CONFLICT',
    'start sequence can not be updated (10012)': 'GROUP_CONFLICT',
    'stream not found (10059)': 'STATION_NOT_FOUND',
    'stream name already in use with a different configuration (10058)': 'STATION_CONFLICT',
    'station can not be created, probably since replicas count is larger than the cluster size': 'UNSUPPORTED',
    'something else': 'BROKER_REFUSED',
  };
  const ofSchemas = {
    'x already exist with type - json': 'SCHEMA_CONFLICT',
    'your json schema is invalid': 'SCHEMA_INVALID',
    'something else': 'BROKER_REFUSED',
  };
  for (const [text, code] of Object.entries(table)) {
    assert.equal(
      codeOf(text, (data) => parseAnswer('x', data)),
      code,
      text,
    );
  }
  for (const [text, code] of Object.entries(ofSchemas)) {
    assert.equal(
      codeOf(text, (data) => parseAnswer('x', data, schemaMeanings)),
      code,
      text,
    );
  }
});

const headers = fc.array(fc.tuple(fc.stringMatching(/^[a-z-]{1,12}$/), fc.string({ maxLength: 20 })), { maxLength: 4 });
const bytes = fc.uint8Array({ maxLength: 64 });

test('no notice of a dead letter can end a broker: with its data there is a block of headers, and a sequence', () => {
  fc.assert(
    fc.property(headers, bytes, fc.nat(), (list, data, sequence) => {
      const whole = { stream: 's$1', durable: 'g', sequence, deliveries: 1, timestampMs: Date.now() };
      const notice = JSON.parse(
        new TextDecoder().decode(poisonAdvisory({ ...whole, message: { headers: list, data } })),
      );
      const block = Buffer.from(notice.headers, 'base64').toString();
      assert.match(block, /^NATS\/1\.0\r\n[\s\S]*\r\n$/);
      assert.equal(Buffer.from(notice.data, 'base64').compare(data), 0);
      const bare = JSON.parse(new TextDecoder().decode(poisonAdvisory(whole)));
      assert.equal(notice.account, undefined, 'another one in token mode: the broker knows');
      assert.deepEqual([bare.data, bare.headers, bare.stream_seq], [undefined, undefined, sequence]);
    }),
  );
  assert.equal(Buffer.from(headerBlock([])).toString(), 'NATS/1.0\r\n\r\n');
});

test('no report of a violation can end a broker: headers are an object, bytes are whole, nothing holds a NUL', () => {
  fc.assert(
    fc.property(headers, bytes, fc.string({ unit: 'binary' }), (list, data, reason) => {
      const report = violationReport({
        station: 's',
        partition: 1,
        producer: 'p',
        connectionId: 'c',
        headers: list,
        data,
        reason,
      }) as Recorded;
      assert.ok(typeof report.message.headers === 'object' && report.message.headers !== null);
      assert.match(report.message.data, /^([0-9a-f]{2})*$/);
      assert.doesNotMatch(JSON.stringify(report), /\\u0000/);
    }),
  );
});

const fragment = fc.constantFrom(
  'syntax = "proto3";',
  'message A { string a = 1; }',
  'message B { message C {} }',
  'enum E { A = 0; }',
  'service S { }',
  '// message X {}\n',
  '/* message Y {} */',
  'option java_package = "message Z {";',
  'import "a.proto";',
  'package p;',
  '',
);

test('protobuf text reaches a broker only with a message at its top, and without imports', () => {
  fc.assert(
    fc.property(fc.array(fragment, { maxLength: 6 }), (fragments) => {
      const source = fragments.join('\n');
      let sent = true;
      try {
        schemaCreation({ name: 'a', type: 'protobuf', source }, 'root');
      } catch (error) {
        assert.ok(isMemphisError(error, 'SCHEMA_INVALID'));
        sent = false;
      }
      const hasMessage = fragments.some((text) => /^message [AB]/.test(text));
      const hasImport = fragments.includes('import "a.proto";');
      assert.equal(sent, hasMessage && !hasImport, source);
      if (!sent) return;
      // a parser of others agrees, where it takes the text at all
      try {
        const { root } = protobuf.parse(source);
        const at = root.nested?.p instanceof protobuf.Namespace ? root.nested.p : root;
        assert.ok(
          at.nestedArray.some((one) => one instanceof protobuf.Type),
          source,
        );
      } catch (error) {
        if (error instanceof assert.AssertionError) throw error;
      }
    }),
  );
});
