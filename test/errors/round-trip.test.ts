/** Names, headers, ids, keys and payloads that nobody has thought of, on real servers: as they were, or refused. */

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import fc from 'fast-check';
import { type Client, connect, isMemphisError, type Message } from '../../src/index.ts';
import { type RunningBroker, startBroker } from '../../src/testing/index.ts';
import { serversUnderTest } from '../support/servers.ts';

const anyText = fc.string({ unit: 'binary', maxLength: 40 });
const sendable = fc.string({
  unit: fc.constantFrom(...'abcXYZ019-_.!#$%&*+^`|~"(),/;<=>?@[]{}'),
  minLength: 1,
  maxLength: 12,
});
const headers = fc.dictionary(
  fc.oneof(sendable, anyText, fc.constantFrom('__proto__', 'constructor', 'Nats-Msg-Id', '$memphis_x', 'nats-Ttl')),
  fc.oneof(anyText, fc.string({ unit: 'grapheme' })),
  { maxKeys: 4 },
);
const message = fc.record({
  data: fc.oneof(fc.uint8Array({ maxLength: 200 }), anyText),
  headers,
  msgId: fc.option(anyText, { nil: undefined }),
  partitionKey: fc.option(anyText, { nil: undefined }),
});
const pairs = (of: Readonly<Record<string, string>>): unknown =>
  Object.entries(of)
    .map(([name, value]) => [name, value.trim().toWellFormed()])
    .sort(([a = ''], [b = '']) => (a < b ? -1 : 1));

for (const { binary, version } of serversUnderTest()) {
  describe(`what is sent to nats-server ${version}`, () => {
    let broker: RunningBroker;
    let memphis: Client;
    before(async () => {
      broker = await startBroker({ binary });
      memphis = await connect({ servers: [broker.url] });
      await memphis.createStation('any', { storageType: 'memory', partitionsNumber: 2 });
    });
    after(async () => {
      await memphis.close();
      await broker.stop();
    });

    test('comes back as it was, or is refused and not stored', async () => {
      let taken = 0;
      let refused = 0;
      const fetchOne = async (batchMaxWaitMs = 0): Promise<Message | undefined> =>
        (await memphis.fetchMessages('any', { group: 'g', batchSize: 5, batchMaxWaitMs }))[0];
      await fc.assert(
        fc.asyncProperty(message, async ({ data, ...options }) => {
          try {
            const receipt = await memphis.produce('any', data, options);
            if (receipt.duplicate) return; // an id that came before
          } catch (error) {
            assert.ok(isMemphisError(error), String(error));
            assert.ok(['INVALID_MESSAGE', 'INVALID_OPTION'].includes(error.code), error.message);
            assert.equal(await fetchOne(), undefined);
            refused++;
            return;
          }
          const found = await fetchOne(2_000); // a server may know of a message a moment after it has confirmed it
          assert.ok(found !== undefined);
          await found.ack();
          assert.deepEqual(Buffer.from(found.data), Buffer.from(data as Uint8Array));
          const { 'msg-id': id, ...others } = found.headers;
          const { 'msg-id': _, ...sent } = options.headers;
          assert.deepEqual(pairs(others), pairs(sent));
          if (options.msgId !== undefined) assert.ok(id !== undefined);
          assert.equal(found.partitionKey, options.partitionKey?.toWellFormed());
          taken++;
        }),
        { numRuns: 400 },
      );
      assert.ok(taken > 50 && refused > 50, `${taken} taken, ${refused} refused`);
      assert.equal(await fetchOne(), undefined);
    });

    test('a station of any name is made and found, or refused and not made', async () => {
      const named = fc.oneof(
        anyText,
        fc.string({ unit: fc.constantFrom(...'aZ0._-'), minLength: 1, maxLength: 130 }),
        fc.constantFrom('__proto__', 'constructor', 'a..b', '\u212afka', 'STATION', 'x'.repeat(128), 'x'.repeat(129)),
      );
      let made = 0;
      await fc.assert(
        fc.asyncProperty(named, async (name) => {
          try {
            const station = await memphis.createStation(name, { storageType: 'memory' });
            assert.equal(station.name, name.toLowerCase());
          } catch (error) {
            assert.ok(isMemphisError(error, 'INVALID_NAME'), String(error));
            return;
          }
          made++;
          assert.equal((await memphis.describeStation(name)).name, name.toLowerCase());
          await memphis.produce(name, 'x');
          const [found] = await memphis.fetchMessages(name, { group: `G.${made}`, batchMaxWaitMs: 2_000 });
          assert.equal(found?.text(), 'x');
          await memphis.destroyStation(name);
        }),
        { numRuns: 60 },
      );
      assert.ok(made > 5);
      assert.deepEqual(await memphis.listStations(), [{ name: 'any', isOurs: true }]);
    });
  });
}
