/**
 * Producing functions that are frozen at any point of an invocation, and cut off meanwhile: each message is stored once,
 * and nobody sees an error that a repeat heals.
 *
 * FREEZE_SEED=<number> plays another game.
 */

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { type Client, connect } from '../../src/index.ts';
import { startBroker, startFunction } from '../../src/testing/index.ts';
import { makeUrlEvent } from '../support/api-events.ts';
import { describeFreeze, drawFreeze, FreezeCounts, invokeFrozen } from '../support/freezes.ts';
import { startProxy } from '../support/proxy.ts';
import { makeRandom, type Random } from '../support/random.ts';
import { serversUnderTest } from '../support/servers.ts';
import { SPEAKS_FIRST } from '../support/speaks-first.ts';

const seed = Number(process.env.FREEZE_SEED ?? 4);
const ROUNDS = 9;
/** Twice what each invocation comes to. */
const points = ['looking', 'publishing', 'publishing', 'produced', 'returned', 'anywhere', 'anywhere'];

interface Stored {
  readonly partition: number;
  readonly sequence: number;
}

/** What an invocation was to store, and where it said that it is. */
type Claims = Map<string, Stored | undefined>;

async function play(handler: 'work' | 'api', name: string, port: number, random: Random, counts: FreezeCounts) {
  const speaksFirst = Number(name.at(-1)) % 2 === 0 ? SPEAKS_FIRST : {};
  const claims: Claims = new Map();
  await using proxy = await startProxy(port);
  await using owned = await startFunction({
    handler: `frozen-producer.${handler}`,
    taskRoot: join(import.meta.dirname, '../support/functions'),
    timeoutMs: 60_000,
    env: { MEMPHIS_SERVERS: proxy.url, MEMPHIS_STATION: 'frozen', MEMPHIS_ACK_WAIT_MS: '20000', ...speaksFirst },
  });
  for (let round = 0; round < ROUNDS; round++) {
    const texts = Array.from({ length: handler === 'api' ? 1 : 6 }, (_, index) => `${name}.${round}.${index}`);
    const [text = ''] = texts;
    const freeze = drawFreeze(random, points);
    const request = makeUrlEvent({ body: text, headers: { 'Idempotency-Key': text } });
    const event = handler === 'api' ? request : { texts };
    const { payload, error, coldStart } = await invokeFrozen(owned, proxy, event, freeze, counts, '.final ');
    const story = `${text}, ${describeFreeze(freeze)}: ${JSON.stringify(error ?? payload)}\n${owned.logs().slice(-20).join('\n')}`;
    assert.equal(error, undefined, story);
    assert.equal(coldStart, round === 0, story);
    for (const each of texts) claims.set(each, undefined);
    if (handler === 'api') {
      const { statusCode, body } = payload as { statusCode: number; body: string };
      assert.equal(statusCode, 202, story);
      claims.set(text, JSON.parse(body) as Stored);
    } else {
      // the second and third text come without a receipt
      const [first, ...others] = payload as [Stored, ...{ receipt?: Stored }[]];
      claims.set(text, first);
      for (const [index, { receipt }] of others.entries()) {
        assert.ok(receipt !== undefined, story);
        claims.set(texts[index + 3] ?? '', receipt);
      }
    }
  }
  return claims;
}

/** Every message of the station: its text, and where it is. */
async function readAll(memphis: Client): Promise<(readonly [text: string, stored: Stored])[]> {
  const all: (readonly [string, Stored])[] = [];
  for (;;) {
    const messages = await memphis.fetchMessages('frozen', { group: 'reader', batchSize: 500, batchMaxWaitMs: 0 });
    if (messages.length === 0) return all;
    for (const message of messages) {
      const { partition, sequence } = message;
      all.push([message.text(), { partition, sequence }]);
    }
  }
}

// all of it is waiting, so the servers take their turns beside each other
describe('frozen functions', { concurrency: true }, () => {
  for (const { binary, version } of serversUnderTest()) {
    test(`nats-server ${version}: frozen producers store each message once (seed ${seed})`, async (t) => {
      await using broker = await startBroker({ binary });
      const memphis = await connect({ servers: [broker.url] });
      await memphis.createStation('frozen', { storageType: 'memory', partitionsNumber: 2 });
      const counts = new FreezeCounts();
      const random = makeRandom(seed);
      const games = (['work', 'work', 'work', 'work', 'api', 'api'] as const).map((handler, index) =>
        play(handler, `${handler}-${index}`, broker.port, random.fork(`${handler}.${index}`), counts),
      );
      const ends = await Promise.allSettled(games);
      t.diagnostic(String(counts));
      for (const end of ends) if (end.status === 'rejected') throw end.reason;
      const claims: Claims = new Map(ends.flatMap((end) => (end.status === 'fulfilled' ? [...end.value] : [])));
      const stored = await readAll(memphis);
      assert.deepEqual(stored.map(([text]) => text).sort(), [...claims.keys()].sort());
      for (const [text, { partition, sequence }] of stored) {
        const claim = claims.get(text);
        if (claim !== undefined) assert.deepEqual([claim.partition, claim.sequence], [partition, sequence], text);
      }
      await memphis.close();
    });
  }
});
