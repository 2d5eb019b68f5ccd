/** Many messages at once, on real servers: all checked first, a result for each, each stored once whatever happens. */

import assert from 'node:assert/strict';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { after, before, describe, test } from 'node:test';
import { type Client, connect, isMemphisError, type ProduceResult } from '../../src/index.ts';
import { type RunningBroker, startBroker } from '../../src/testing/start-broker.ts';
import { countStored, makeFullStation } from '../support/full-station.ts';
import { serversUnderTest } from '../support/servers.ts';

const codesOf = (results: readonly ProduceResult[]): (string | number)[] =>
  results.map((result) => (result.ok ? result.receipt.sequence : result.error.code));

for (const { binary, version } of serversUnderTest()) {
  describe(`batches on nats-server ${version}`, () => {
    let broker: RunningBroker;
    let memphis: Client;
    let made = 0;
    const newStation = async (options: Record<string, unknown> = {}): Promise<string> => {
      const name = `s${++made}`;
      await memphis.createStation(name, { storageType: 'memory', ...options });
      return name;
    };

    before(async () => {
      broker = await startBroker({ binary });
      memphis = await connect({ servers: [broker.url] });
    });
    after(async () => {
      await memphis.close();
      await broker.stop();
    });

    test('each message has its result in its place, and its own headers, id and key', async () => {
      const name = await newStation({ partitionsNumber: 3 });
      const orders = [{ id: 'a' }, { id: 'b' }, { id: 'a' }];
      const optionsFor = (order: { id: string }, index: number) => ({
        msgId: order.id,
        partitionKey: 'key',
        headers: { place: String(index) },
      });
      const results = await memphis.produceBatch(name, orders, { optionsFor });
      const receipt = { station: name, partition: 2 };
      assert.deepEqual(results, [
        { ok: true, receipt: { ...receipt, sequence: 1, duplicate: false } },
        { ok: true, receipt: { ...receipt, sequence: 2, duplicate: false } },
        { ok: true, receipt: { ...receipt, sequence: 1, duplicate: true } },
      ]);
      const messages = await memphis.fetchMessages(name, { group: 'g', batchMaxWaitMs: 1_000 });
      assert.deepEqual(
        messages.map(({ headers, partitionKey }) => [headers, partitionKey]),
        [
          [{ place: '0', 'msg-id': 'a' }, 'key'],
          [{ place: '1', 'msg-id': 'b' }, 'key'],
        ],
      );
    });

    test('messages take turns among partitions, and keep their order in each', async () => {
      const name = await newStation({ partitionsNumber: 2 });
      const texts = Array.from({ length: 6_000 }, (_, i) => String(i));
      const results = await memphis.produceBatch(name, texts);
      const sequences = results.map((result) => (result.ok ? result.receipt.sequence : 0));
      assert.deepEqual(
        sequences,
        texts.map((_, i) => Math.floor(i / 2) + 1),
      );
      assert.deepEqual(await countStored(broker.port, name, 2), [3_000, 3_000]);
    });

    test('an empty batch is no error and sends nothing', async () => {
      assert.deepEqual(await memphis.produceBatch(await newStation(), []), []);
    });

    const bad: readonly (readonly [what: string, code: string, message: unknown, options?: unknown])[] = [
      ['a number', 'INVALID_MESSAGE', 7],
      ['nothing', 'INVALID_MESSAGE', undefined],
      ['a Map', 'INVALID_MESSAGE', new Map([[1, 2]])],
      ['a promise', 'INVALID_MESSAGE', Promise.resolve('x')],
      ['what is too large', 'PAYLOAD_TOO_LARGE', new Uint8Array(1_048_576)],
      ['a reserved header', 'INVALID_MESSAGE', 'x', { headers: { $memphis_x: 'y' } }],
      ['a header that is no text', 'INVALID_OPTION', 'x', { headers: { a: 1 } }],
      ['a blank message id', 'INVALID_OPTION', 'x', { msgId: ' ' }],
      ['an unknown option', 'INVALID_OPTION', 'x', { msgID: 'x' }],
      ['an option of the whole batch', 'INVALID_OPTION', 'x', { ackWaitMs: 5 }],
      ['a partition that does not exist', 'PARTITION_NOT_FOUND', 'x', { partition: 9 }],
      ['key and number together', 'INVALID_OPTION', 'x', { partition: 1, partitionKey: 'k' }],
    ];
    for (const [what, code, message, options] of bad) {
      test(`with ${what} among them, nothing is sent and the error names the message`, async () => {
        const name = await newStation();
        const batch = ['a', 'b', message as string, 'c'];
        const optionsFor = (_: unknown, index: number) => (index === 2 ? (options as object) : {});
        await assert.rejects(memphis.produceBatch(name, batch, { optionsFor }), (error) => {
          assert.ok(isMemphisError(error), String(error));
          assert.deepEqual([error.code, error.index], [code, 2]);
          assert.match(error.message, /^Message 2 of the batch/);
          return true;
        });
        assert.deepEqual(await countStored(broker.port, name), [0]);
      });
    }

    test('what is no batch, no option or no station is a typed error', async () => {
      const name = await newStation();
      await assert.rejects(memphis.produceBatch(name, 'abc' as never), { code: 'INVALID_MESSAGE' });
      await assert.rejects(memphis.produceBatch(name, ['a'], { optionFor: () => {} } as never), {
        code: 'INVALID_OPTION',
        message: /Did you mean optionsFor/,
      });
      await assert.rejects(memphis.produceBatch(name, ['a'], { optionsFor: 'x' } as never), { code: 'INVALID_OPTION' });
      const broken = () => {
        throw new Error('mine');
      };
      await assert.rejects(memphis.produceBatch(name, ['a'], { optionsFor: broken }), {
        code: 'INVALID_OPTION',
        index: 0,
        cause: new Error('mine'),
      });
      await assert.rejects(memphis.produceBatch('nowhere', ['a']), { code: 'STATION_NOT_FOUND' });
      await assert.rejects(memphis.produceBatch('no way', ['a']), { code: 'INVALID_NAME' });
    });

    test('messages that the broker refuses have their error, the others their receipt', async () => {
      const name = `full${++made}`;
      await makeFullStation(broker.port, name, 2);
      const results = await memphis.produceBatch(name, ['a', 'b', 'c', 'd']);
      assert.deepEqual(codesOf(results), [1, 2, 'STORAGE_FULL', 'STORAGE_FULL']);
    });

    test('a silent broker ends a large batch once, not once for each part of it', async () => {
      const name = await newStation();
      const producer = await memphis.createProducer(name);
      await producer.produce('the connection is up');
      broker.freeze();
      const startedAt = performance.now();
      const results = await producer.produceBatch(new Array(20_000).fill('x'), { ackWaitMs: 500 });
      const tookMs = performance.now() - startedAt;
      broker.thaw();
      assert.ok(results.every((result) => !result.ok && result.error.retryable));
      assert.ok(results.some((result) => !result.ok && /was not sent/.test(result.error.message)));
      assert.ok(tookMs < 8_000, `${tookMs} ms for ten times what may be under way`);
    });

    test('a producer that is destroyed in the middle says which messages it did not send', async () => {
      const name = await newStation();
      const producer = await memphis.createProducer(name);
      const sent = producer.produceBatch(new Array(20_000).fill('x'));
      await new Promise((resolve) => setTimeout(resolve, 30));
      await producer.destroy();
      const results = await sent;
      const stored = results.filter((result) => result.ok).length;
      assert.ok(stored < results.length, 'it was in the middle');
      assert.ok(results.every((result) => result.ok || result.error.code === 'CLOSED'));
      assert.deepEqual(await countStored(broker.port, name), [stored]);
    });
  });

  test(`nats-server ${version}: killed in the middle of 3000 messages, each is stored once and none is lost`, async () => {
    await using broker = await startBroker({ binary });
    const memphis = await connect({ servers: [broker.url] });
    await memphis.createStation('orders', { partitionsNumber: 2 });
    const texts = Array.from({ length: 3_000 }, (_, i) => `order ${i}`.padEnd(4_000));
    let repeated = 0;
    const onRetry = (): void => void repeated++;
    subscribe('memphis-serverless:retry', onRetry);
    const marker = memphis.produce('orders', 'marker'); // its answer comes before the last ones of the batch
    const sent = memphis.produceBatch('orders', texts);
    await marker;
    broker.freeze();
    await broker.kill();
    await broker.restart();
    const results = await sent;
    unsubscribe('memphis-serverless:retry', onRetry);
    assert.ok(repeated > 0, 'it was in the middle');
    assert.deepEqual(
      results.filter((result) => !result.ok),
      [],
    );
    const messages = await memphis.fetchMessages('orders', { group: 'g', batchSize: 5_000, batchMaxWaitMs: 2_000 });
    const stored = messages.map((message) => message.text()).filter((text) => text !== 'marker');
    assert.deepEqual(stored.sort(), [...texts].sort());
    await memphis.close();
  });
}
