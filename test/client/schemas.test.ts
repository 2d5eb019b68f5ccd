/** Schemas on real servers: made, attached, obeyed by producers, read by consumers, changed while both are at work. */

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { openLean } from '../../src/connection/lean/session.ts';
import type { Connection } from '../../src/connection/port.ts';
import { type Client, connect, isMemphisError } from '../../src/index.ts';
import { each, produceHandler, withMemphis, withProducer } from '../../src/lambda/index.ts';
import { makeContext } from '../../src/testing/make-context.ts';
import { type RunningBroker, startBroker } from '../../src/testing/start-broker.ts';
import { makeRestEvent } from '../support/api-events.ts';
import { serversUnderTest } from '../support/servers.ts';
import '../../src/schemas/avro.ts';
import '../../src/schemas/graphql.ts';
import '../../src/schemas/json.ts';
import '../../src/schemas/protobuf.ts';
import { standard } from '../../src/schemas/standard.ts';

const order = {
  type: 'object',
  properties: { id: { type: 'integer' } },
  required: ['id'],
  additionalProperties: false,
};

for (const { binary, version } of serversUnderTest()) {
  describe(`schemas on nats-server ${version}`, () => {
    let broker: RunningBroker;
    let memphis: Client;
    let made = 0;
    const newStation = async (schemaName = '', options: Record<string, unknown> = {}): Promise<string> => {
      const name = `s.${++made}`;
      await memphis.createStation(name, { storageType: 'memory', schemaName, ...options });
      return name;
    };
    /** Messages that would be stored by anybody who knows no schema. */
    const smuggle = async (station: string, text: string): Promise<void> => {
      const pass = { covers: () => true, encoder: async () => async (_: unknown, m: string) => Buffer.from(m) };
      const producer = await memphis.createProducer(station, { schema: pass as never });
      await producer.produce(text);
    };

    before(async () => {
      broker = await startBroker({ binary });
      memphis = await connect({ servers: [broker.url] });
      await memphis.createSchema('order', 'json', order);
    });
    after(async () => {
      await memphis.close();
      await broker.stop();
    });

    test('what satisfies the schema is stored, what breaks it is refused and set aside once', async () => {
      const name = await newStation('order');
      const producer = await memphis.createProducer(name);
      assert.equal((await producer.produce({ id: 1 })).sequence, 1);
      await assert.rejects(
        producer.produce({ id: 'secret', extra: 1 }, { msgId: 'm', headers: { k: 'v' } }),
        (error) =>
          isMemphisError(error, 'SCHEMA_VIOLATION') &&
          error.station === name &&
          error.issues
            ?.map(({ path }) => path.join('.'))
            .sort()
            .join() === 'extra,id' &&
          !error.message.includes('secret'),
      );
      await assert.rejects(producer.produce(7 as never), { code: 'INVALID_MESSAGE' });
      const [letter, ...more] = await memphis.deadLetters(name).list();
      assert.deepEqual(more, []);
      assert.deepEqual(letter?.json(), { id: 'secret', extra: 1 });
      assert.deepEqual(letter?.headers, { k: 'v', 'msg-id': 'm' });
      assert.equal(letter?.group, '$refused');
      assert.equal(await memphis.deadLetters(name).count({ group: '$refused' }), 1);
      const [redriven] = await memphis.deadLetters(name).redriveAll({ to: 'station' });
      assert.equal(redriven?.outcome, 'failed');
      assert.match(String(redriven?.error), /was refused and never stored/);
      assert.match(letter?.reason ?? '', /does not satisfy schema order at /);
      const messages = await memphis.fetchMessages(name, { group: 'g' });
      assert.deepEqual(
        messages.map((message) => message.value()),
        [{ id: 1 }],
      );
    });

    test('nothing is set aside where the station says so', async () => {
      const name = await newStation('order', { sendSchemaFailedMsgToDls: false });
      await assert.rejects(memphis.produce(name, { id: 'x' }), { code: 'SCHEMA_VIOLATION' });
      assert.equal(await memphis.deadLetters(name).count(), 0);
    });

    test('of a batch nothing is sent when one message breaks the schema', async () => {
      const name = await newStation('order');
      await assert.rejects(memphis.produceBatch(name, [{ id: 1 }, { id: 'x' }]), {
        code: 'SCHEMA_VIOLATION',
        index: 1,
      });
      assert.equal((await memphis.describeStation(name)).messages, 0);
      const results = await memphis.produceBatch(name, [{ id: 1 }, '{"id":2}']);
      assert.deepEqual(
        results.map(({ ok }) => ok),
        [true, true],
      );
    });

    test('a stored message that does not fit is dead-lettered, retried or passed on, and never seen by others', async () => {
      const name = await newStation('order');
      await smuggle(name, '{"id":"x"}');
      await memphis.produce(name, { id: 2 });
      const passed = await memphis.fetchMessages(name, { group: 'pass', onInvalid: 'pass' });
      assert.deepEqual(
        passed.map((message) => message.value()),
        [{ id: 'x' }, { id: 2 }],
      );
      const kept = await memphis.fetchMessages(name, { group: 'retry', onInvalid: 'retry' });
      assert.deepEqual(
        kept.map((message) => message.value()),
        [{ id: 2 }],
      );
      assert.equal(await memphis.deadLetters(name).count({ group: 'retry' }), 0);
      const fit = await memphis.fetchMessages(name, { group: 'dead' });
      assert.deepEqual(
        fit.map((message) => message.value()),
        [{ id: 2 }],
      );
      const [letter] = await memphis.deadLetters(name).list({ group: 'dead' });
      assert.deepEqual(letter?.json(), { id: 'x' });
    });

    test('a function gets what fits, and its summary counts the others', async (t) => {
      t.mock.method(console, 'error', () => {});
      const name = await newStation('order');
      await smuggle(name, '{"id":"x"}');
      await memphis.produce(name, { id: 2 });
      const seen: unknown[] = [];
      const handler = withMemphis(
        each((value) => void seen.push(value)),
        {
          servers: [broker.url],
          station: name,
          group: 'g',
        },
      );
      const summary = await handler({}, makeContext());
      assert.deepEqual(seen, [{ id: 2 }]);
      assert.deepEqual(
        { ...summary },
        {
          station: name,
          group: 'g',
          batches: 1,
          received: 2,
          acked: 1,
          retried: 0,
          deadLettered: 1,
          givenBack: 0,
        },
      );
    });

    test('an API function answers 422 with the paths', async () => {
      const name = await newStation('order');
      const handler = produceHandler({ servers: [broker.url], station: name });
      const post = (body: string) => handler(makeRestEvent({ body }), makeContext());
      assert.equal((await post('{"id":1}')).statusCode, 202);
      const answer = await post('{"id":"x"}');
      assert.equal(answer.statusCode, 422);
      assert.deepEqual(JSON.parse(answer.body).error.issues, [{ path: ['id'], message: 'must be integer' }]);
    });

    test('a schema that is attached, replaced and detached counts for a producer that is connected', async () => {
      const name = await newStation();
      const other = await connect({ servers: [broker.url] });
      try {
        const producer = await other.createProducer(name);
        await producer.produce({ id: 'anything' });
        await memphis.attachSchema('order', name);
        await refusesSoon(() => producer.produce({ id: 'anything' }));
        await memphis.detachSchema(name);
        await takesSoon(() => producer.produce({ id: 'anything' }));
      } finally {
        await other.close();
      }
    });

    test('a function follows changes: half a minute later it looks, beside the message that it stores', async (t) => {
      const name = await newStation();
      const handler = produceHandler({ servers: [broker.url], station: name });
      const post = async (body: string): Promise<number> =>
        (await handler(makeRestEvent({ body }), makeContext())).statusCode;
      assert.equal(await post('{"id":"x"}'), 202);
      await memphis.attachSchema('order', name);
      assert.equal(await post('{"id":"x"}'), 202, 'what is known is young');
      t.mock.timers.enable({ apis: ['Date'], now: Date.now() + 31_000 });
      assert.equal(await post('{"id":"x"}'), 202, 'the look is not waited for');
      assert.equal(await post('{"id":"x"}'), 422);
      await memphis.detachSchema(name);
      assert.equal(await post('{"id":"x"}'), 422);
      t.mock.timers.tick(1_000);
      assert.equal(await post('{"id":"x"}'), 202, 'before a message is refused, it is looked at');
    });

    test('a schema that does not compile, arriving under a running producer, refuses messages and nothing else', async () => {
      const schema = `healing-${version}`;
      await memphis.createSchema(schema, 'json', order);
      const [name, other] = [await newStation(schema), await newStation('order')];
      const running = await connect({ servers: [broker.url] });
      const put = (source: string, number: number): Promise<unknown> =>
        withRawConnection(broker.port, async (connection) => {
          await connection.request(
            `$KV.memphis_serverless.schema.${schema}`,
            new TextEncoder().encode(JSON.stringify({ name: schema, type: 'json', version: number, source })),
            { timeoutMs: 2_000 },
          );
          connection.publish('$memphis_serverless.schema_updates', Buffer.from(JSON.stringify({ schema })));
          await connection.flush(2_000);
        });
      try {
        const producer = await running.createProducer(name);
        await producer.produce({ id: 1 });
        await put('{ broken', 2);
        await soon(
          () => producer.produce({ id: 1 }),
          (error) => isMemphisError(error, 'SCHEMA_INVALID'),
        );
        await running.produce(other, { id: 1 });
        assert.ok(running.isConnected());
        const [message] = await running.fetchMessages(name, { group: 'g' });
        assert.throws(() => message?.value(), { code: 'SCHEMA_INVALID' });
        assert.deepEqual(message?.json(), { id: 1 });
        await put(JSON.stringify(order), 3);
        await takesSoon(() => producer.produce({ id: 1 }));
        await assert.rejects(producer.produce({ id: 'x' }), { code: 'SCHEMA_VIOLATION' });
      } finally {
        await running.close();
      }
    });

    test('a batch of nothing but what does not fit fails its invocation, once it is dead-lettered', async (t) => {
      t.mock.method(console, 'error', () => {});
      const name = await newStation('order');
      await smuggle(name, '{"id":"x"}');
      const handler = withMemphis(() => assert.fail('called'), { servers: [broker.url], station: name, group: 'g' });
      await assert.rejects(handler({}, makeContext()), { code: 'ALL_MESSAGES_FAILED' });
      assert.equal(await memphis.deadLetters(name).count({ group: 'g' }), 1);
    });

    test('versions wait until they are chosen; the same text is no new one', async () => {
      const name = `versions-${version}`;
      const first = await memphis.createSchema(name, 'json', { type: 'string' });
      assert.deepEqual(first, { name, type: 'json', version: 1, created: true, isActive: true });
      const again = await memphis.createSchema(name, 'json', '{"type":"string"}');
      assert.deepEqual(again, { name, type: 'json', version: 1, created: false, isActive: true });
      const second = await memphis.createSchema(name, 'json', { type: 'number' });
      assert.deepEqual(second, { name, type: 'json', version: 2, created: true, isActive: false });
      const station = await newStation(name);
      const producer = await memphis.createProducer(station);
      await producer.produce('"text"');
      await assert.rejects(producer.produce('5'), { code: 'SCHEMA_VIOLATION' });
      await memphis.activateSchema(name, 2);
      await producer.produce('5');
      await assert.rejects(producer.produce('"text"'), { code: 'SCHEMA_VIOLATION' });
      const { versions, activeVersion } = await memphis.describeSchema(name);
      assert.deepEqual(
        [activeVersion, versions.map((one) => [one.version, one.isActive, one.source])],
        [
          2,
          [
            [1, false, '{"type":"string"}'],
            [2, true, '{"type":"number"}'],
          ],
        ],
      );
      await assert.rejects(memphis.activateSchema(name, 3), { code: 'SCHEMA_NOT_FOUND' });
      assert.ok((await memphis.listSchemas()).some((one) => one.name === name && one.activeVersion === 2));
      await memphis.destroySchema(name);
      await producer.produce('{}');
      await assert.rejects(memphis.describeSchema(name), { code: 'SCHEMA_NOT_FOUND' });
    });

    test('each type goes all the way', async () => {
      const proto =
        'syntax = "proto3"; import "lib.proto"; message Order { string id = 1; int64 total = 2; lib.Line line = 3; }';
      const imports = { 'lib.proto': 'syntax = "proto3"; package lib; message Line { string sku = 1; }' };
      const line = { type: 'record', name: 'R', fields: [{ name: 'id', type: ['null', 'string'] }] };
      const cases = [
        [
          'protobuf',
          proto,
          { imports },
          { id: 'a', total: '5', line: { sku: 's' } },
          { id: 'a', total: 5n, line: { sku: 's' } },
          { idd: 'a' },
        ],
        ['avro', line, undefined, { id: 'a' }, { id: 'a' }, { id: 1 }],
        ['graphql', 'type Query { a: Int }', undefined, '{ a }', '{ a }', '{ b }'],
      ] as const;
      for (const [type, source, options, good, value, bad] of cases) {
        await memphis.createSchema(`all-${type}`, type, source, options);
        const station = await newStation(`all-${type}`);
        await memphis.produce(station, good);
        await assert.rejects(memphis.produce(station, bad), { code: 'SCHEMA_VIOLATION' }, type);
        const [message] = await memphis.fetchMessages(station, { group: 'g' });
        assert.deepEqual(message?.value(), value);
        assert.equal(await memphis.deadLetters(station).count(), 1);
      }
    });

    test('a validator of ones own counts in place of the schema', async () => {
      const name = await newStation('order');
      const even = {
        '~standard': {
          version: 1 as const,
          vendor: 'own',
          validate: (value: unknown) =>
            Number(value) % 2 === 0 ? { value: 'even' } : { issues: [{ message: 'odd' }] },
        },
      };
      const producer = await memphis.createProducer(name, { schema: standard(even) });
      await producer.produce('2');
      await assert.rejects(producer.produce('3'), { code: 'SCHEMA_VIOLATION' });
      const [message] = await memphis.fetchMessages(name, { group: 'g', schema: standard(even) });
      assert.equal(message?.value(), 'even');
    });

    test('a function that produces has a validator of its own, and its producers have theirs', async () => {
      const name = await newStation();
      const only = (wanted: number) =>
        standard({
          '~standard': {
            version: 1,
            vendor: 'own',
            validate: (value) => (value === wanted ? { value } : { issues: [{ message: 'another' }] }),
          },
        });
      const handler = withProducer(
        async (_: unknown, { produce, memphis: client }) => {
          await produce('1');
          await assert.rejects(produce('2'), { code: 'SCHEMA_VIOLATION' });
          const producer = await client.createProducer(name, { schema: only(2) });
          await producer.produce('2');
          await assert.rejects(producer.produce('1'), { code: 'SCHEMA_VIOLATION' });
          await client.produce(name, '3');
        },
        { servers: [broker.url], station: name, schema: only(1) },
      );
      await handler({}, makeContext());
      assert.equal((await memphis.describeStation(name)).messages, 3);
    });

    test('what cannot be a schema is refused', async () => {
      const cases = [
        [['Upper', 'json', {}], 'INVALID_NAME'],
        [['a/b', 'json', {}], 'INVALID_NAME'],
        [['ok', 'xml', ''], 'INVALID_OPTION'],
        [['ok', 'json', ''], 'SCHEMA_INVALID'],
        [['ok', 'json', '{'], 'SCHEMA_INVALID'],
        [['ok', 'json', []], 'SCHEMA_INVALID'],
        [['ok', 'json', { type: 'nothing' }], 'SCHEMA_INVALID'],
        [['ok', 'json', { $schema: 'http://example.com/mine' }], 'SCHEMA_INVALID'],
        [['ok', 'json', { $ref: 'http://example.com/other' }], 'SCHEMA_INVALID'],
        [['ok', 'json', { pattern: '(?=x)' }], 'SCHEMA_INVALID'],
        [['order', 'avro', '"string"'], 'SCHEMA_CONFLICT'],
        [['ok', 'avro', { type: 'record' }], 'SCHEMA_INVALID'],
        [['ok', 'protobuf', 'syntax = "proto3"; enum E { A = 0; }'], 'SCHEMA_INVALID'],
        [['ok', 'graphql', 'type A { a: Int }'], 'SCHEMA_INVALID'],
      ] as const;
      for (const [args, code] of cases) {
        await assert.rejects(
          memphis.createSchema(...(args as unknown as [string, 'json', object])),
          { code },
          JSON.stringify(args),
        );
      }
      await assert.rejects(memphis.attachSchema('none', await newStation()), {
        code: 'SCHEMA_NOT_FOUND',
        message: 'There is no schema none. Create it with createSchema first.',
      });
      await assert.rejects(memphis.attachSchema('order', 'none'), { code: 'STATION_NOT_FOUND' });
      await assert.rejects(newStation('none'), { code: 'SCHEMA_NOT_FOUND' });
    });
  });
}

async function withRawConnection<T>(port: number, run: (connection: Connection) => Promise<T>): Promise<T> {
  const connection = openLean({ server: `127.0.0.1:${port}`, name: 'test', timeoutMs: 2_000 });
  try {
    return await run(connection);
  } finally {
    await connection.close();
  }
}

/** A push takes a moment to arrive. */
async function soon(run: () => Promise<unknown>, isDone: (error: unknown) => boolean): Promise<void> {
  for (let tries = 0; ; tries++) {
    const error = await run().then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    if (isDone(error)) return;
    assert.ok(tries < 200, 'within ten seconds');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
const refusesSoon = (run: () => Promise<unknown>) => soon(run, (error) => isMemphisError(error, 'SCHEMA_VIOLATION'));
const takesSoon = (run: () => Promise<unknown>) => soon(run, (error) => error === undefined);
