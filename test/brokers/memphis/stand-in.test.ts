/** The stand-in is held to what a real broker 1.4.4 answered: recorded requests are played to it again. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { openLean } from '../../../src/connection/lean/session.ts';
import type { Connection } from '../../../src/connection/port.ts';
import { memphisBrokers } from '../../support/memphis/brokers.ts';

interface Recorded {
  readonly subject: string;
  readonly payload: string;
  readonly headers?: true;
  readonly replies: readonly (string | null)[];
}

const read = (name: string) =>
  JSON.parse(readFileSync(join(import.meta.dirname, `../../fixtures/memphis/${name}.json`), 'utf8'));
const conversations: Record<string, Recorded[]> = read('conversations');

/** What the stand-in does not do, by the words of the broker: checks of schemas and types, words of Go's JSON decoder. */
const NOT_DONE =
  /json: cannot|invalid character|unexpected end of JSON|already in use with a different|encode args|upgrade your SDK|type has to be one of|can be one of the following|cannot create station with -|exceed 24 hours|your .* invalid|graphql|imported|Schema with|not allowed|protobuf|exec:|exit status|no such file|must be defined|enum_type|in the db with the same|version already exists/i;

async function openOn(url: string): Promise<Connection> {
  const { host, username, password } = new URL(url.replace('memphis://', 'http://'));
  const credentials = { kind: 'password', username, password } as const;
  const connection = openLean({ server: host, credentials, isMemphis: true, name: 'replay', timeoutMs: 5_000 });
  await connection.accepted;
  return connection;
}

/** All replies that come to one request. */
async function ask(connection: Connection, { subject, payload, replies }: Recorded): Promise<string[]> {
  const heard: string[] = [];
  const enough = Promise.withResolvers<void>();
  const listening = connection.subscribe('', {
    onFrame: ({ data }) => {
      heard.push(new TextDecoder().decode(data));
      if (heard.length >= replies.length) enough.resolve();
    },
  });
  connection.publish(subject, new TextEncoder().encode(payload), { reply: listening.subject });
  await Promise.race([enough.promise, sleep(2_000)]);
  listening.end();
  return heard;
}

/** Where things stand when the recorder began differs: stations of earlier recordings, and what they had. */
const shapeOf = (text: string | null | undefined): unknown => {
  if (text === undefined || text === null || !text.startsWith('{')) return text;
  const reply = JSON.parse(text);
  return { keys: Object.keys(reply).sort(), partitions: reply.partitions_update?.partitions_list, error: reply.error };
};

for (const [name, requests] of Object.entries(conversations)) {
  test(`recording ${name}: the stand-in answers as the broker did`, async (t) => {
    const [standIn] = memphisBrokers;
    const broker = await standIn?.open();
    assert.ok(broker?.standIn !== undefined);
    t.after(async () => {
      // the recordings break rules on purpose
      (broker.standIn?.violations as string[]).length = 0;
      await broker[Symbol.asyncDispose]();
    });
    const connection = await openOn(broker.url);
    let compared = 0;
    for (const request of requests) {
      if (request.headers === true || request.replies.length === 0) continue;
      if (request.replies.some((reply) => typeof reply !== 'string' || NOT_DONE.test(reply))) continue;
      if (/"partitions_number":(0|-1|[0-9]{6,})|30000000000|3000000000/.test(request.payload)) continue;
      const heard = await ask(connection, request);
      assert.deepEqual(heard.map(shapeOf), request.replies.map(shapeOf), `${request.subject} ${request.payload}`);
      compared += 1;
    }
    t.diagnostic(`${compared} of ${requests.length} requests`);
    assert.ok(compared > 3);
    await connection.close();
  });
}

test('durables of the stand-in are those of the broker', async (t) => {
  const [standIn] = memphisBrokers;
  const broker = await standIn?.open();
  assert.ok(broker?.standIn !== undefined);
  t.after(async () => {
    (broker.standIn?.violations as string[]).length = 0;
    await broker[Symbol.asyncDispose]();
  });
  const connection = await openOn(broker.url);
  const api = async (subject: string, body?: unknown) => {
    const data = new TextEncoder().encode(body === undefined ? '' : JSON.stringify(body));
    return JSON.parse(
      new TextDecoder().decode((await connection.request(`$JS.API.${subject}`, data, { timeoutMs: 2_000 })).data),
    );
  };
  const rows = read('durables');
  const stations = new Map<string, readonly number[]>(
    rows.map((row: { station: string; last_sequences: number[] }) => [row.station, row.last_sequences]),
  );
  const settings = { username: 'root', retention_value: 3_600, idempotency_window_in_ms: 1_000 };
  for (const [name, sequences] of stations) {
    const body = { ...settings, name, partitions_number: sequences.length, storage_type: 'memory' };
    const payload = JSON.stringify(body);
    assert.deepEqual(await ask(connection, { subject: '$memphis_station_creations', payload, replies: [''] }), ['']);
    for (const [index, last] of sequences.entries()) {
      for (let sequence = 1; sequence <= last; sequence++) {
        const subject = `${name.replace('.', '#')}$${index + 1}.final`;
        await connection.request(subject, new Uint8Array(1), { timeoutMs: 2_000, headers: [['a', 'b']] });
      }
    }
  }
  let compared = 0;
  for (const { request, replies, configs } of rows) {
    if (!(request.max_msg_deliveries >= 1 && request.max_msg_deliveries <= 10) || request.last_messages === undefined)
      continue;
    const payload = JSON.stringify(request);
    const heard = await ask(connection, { subject: '$memphis_consumer_creations', payload, replies });
    assert.deepEqual(heard.map(shapeOf), replies.map(shapeOf), payload);
    for (const [stream, expected] of Object.entries<Record<string, unknown>>(configs)) {
      const found = await api(
        `CONSUMER.INFO.${stream}.${(request.consumers_group || request.name).toLowerCase().replaceAll('.', '#')}`,
      );
      if (expected?.durable_name === undefined) assert.equal(found.error?.err_code, 10014, payload);
      else {
        for (const key of [
          'durable_name',
          'deliver_policy',
          'opt_start_seq',
          'ack_policy',
          'ack_wait',
          'max_deliver',
          'filter_subject',
        ]) {
          assert.deepEqual(found.config[key], expected[key], `${key} of ${payload}`);
        }
      }
      compared += 1;
    }
  }
  assert.ok(compared > 10);
  await connection.close();
});
