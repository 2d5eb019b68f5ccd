/** Dead letters of a Memphis broker: stored before the message is terminated, whatever the station is like. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { openLean } from '../../../src/connection/lean/session.ts';
import { type Client, connect, type Message } from '../../../src/index.ts';
import { DeadLetter, withMemphis } from '../../../src/lambda/index.ts';
import { toInternalName } from '../../../src/model/station.ts';
import type { StationOptions } from '../../../src/model/station-settings.ts';
import { makeContext } from '../../../src/testing/make-context.ts';
import { freshName, type MemphisUnderTest, memphisBrokers } from '../../support/memphis/brokers.ts';

interface Scene {
  readonly broker: MemphisUnderTest;
  readonly memphis: Client;
  readonly station: string;
}

async function play(
  open: () => Promise<MemphisUnderTest>,
  options: StationOptions,
  run: (scene: Scene) => Promise<void>,
) {
  await using broker = await open();
  const memphis = await connect({ servers: [broker.url], ...(broker.apiUrl && { apiUrl: broker.apiUrl }) });
  const station = freshName('dls');
  try {
    await memphis.createStation(station, { storageType: 'memory', ...options });
    await run({ broker, memphis, station });
    await memphis.station(station).destroy();
  } finally {
    await memphis.close();
  }
}

async function take({ memphis, station }: Scene, group = 'g'): Promise<Message> {
  const options = { group, maxAckTimeMs: 20_000, maxMsgDeliveries: 3, batchMaxWaitMs: 3_000, batchSize: 1 };
  const [message] = await memphis.fetchMessages(station, options);
  return message ?? assert.fail('nothing came');
}

for (const { name: on, isOld, open } of memphisBrokers) {
  const since131 = { skip: isOld && 'this release has no such stations' };
  test(`${on}: on a station that keeps nothing but what is not acked, a dead letter is whole`, since131, () =>
    play(open, { retentionType: 'ack_based' }, async (scene) => {
      const { memphis, station } = scene;
      assert.deepEqual(
        await memphis.fetchMessages(station, { group: 'g', maxMsgDeliveries: 3, batchMaxWaitMs: 0 }),
        [],
      );
      await memphis.produce(station, { n: 1 }, { headers: { a: 'b' } });
      await (await take(scene)).deadLetter('no such customer');
      const [letter, ...more] = await memphis.station(station).deadLetters().list();
      assert.equal(more.length, 0);
      assert.deepEqual([letter?.json(), letter?.headers, letter?.reason], [{ n: 1 }, { a: 'b' }, 'no such customer']);
    }),
  );

  test(`${on}: a message that does not fit into a notice is read by the broker before it is terminated`, since131, () =>
    play(open, { retentionType: 'ack_based' }, async (scene) => {
      const { memphis, station } = scene;
      assert.deepEqual(
        await memphis.fetchMessages(station, { group: 'g', maxMsgDeliveries: 3, batchMaxWaitMs: 0 }),
        [],
      );
      const data = new Uint8Array(900_000).fill(7);
      await memphis.produce(station, data);
      await (await take(scene)).deadLetter('too heavy');
      const [letter] = await memphis.station(station).deadLetters().list();
      assert.equal(Buffer.compare(letter?.data ?? new Uint8Array(), data), 0);
    }),
  );

  test(
    `${on}: a message of others without headers is set aside with some, which a linked station needs`,
    since131,
    () =>
      play(open, { dlsStation: freshName('linked') }, async (scene) => {
        const { broker, memphis, station } = scene;
        const url = new URL((broker.standIn?.server.url ?? broker.url).replace(/^\w+:/, 'http:'));
        const password = { kind: 'password', username: url.username, password: url.password } as const;
        const raw = openLean({
          server: url.host,
          name: 'others',
          timeoutMs: 5_000,
          ...(url.username === '' ? {} : { credentials: password, isMemphis: true }),
        });
        await raw.request(`${toInternalName(station)}$1.final`, new TextEncoder().encode('bare'), { timeoutMs: 5_000 });
        await raw.close();
        const message = await take(scene);
        assert.deepEqual(message.headers, {});
        await message.deadLetter('bare');
        const [letter] = await memphis.station(station).deadLetters().list();
        assert.deepEqual([letter?.text(), letter?.headers], ['bare', {}]);
        const { settings } = await memphis.describeStation(station);
        const [copy] = await memphis.fetchMessages(settings.dlsStation, { group: 'w', batchMaxWaitMs: 5_000 });
        assert.equal(copy?.text(), 'bare');
        await copy?.ack();
        await memphis.station(settings.dlsStation).destroy();
      }),
  );

  test(`${on}: two groups set the same message aside, and each has its own dead letter`, () =>
    play(open, {}, async (scene) => {
      const { memphis, station } = scene;
      await memphis.produce(station, 'x', { msgId: 'm' });
      for (const group of ['a.1', 'b']) await (await take(scene, group)).deadLetter(`not for ${group}`);
      const letters = memphis.station(station).deadLetters();
      const [first, second] = await letters.list();
      const reasons = [first, second].map((letter) => [letter?.group, letter?.reason]).sort();
      assert.deepEqual(reasons[0], ['a.1', 'not for a.1']);
      // before 1.4.2 each is kept by us, with its own; else the broker keeps that of the first
      assert.match(reasons[1]?.join() ?? '', /^b,not (for b|known: another group)/);
      assert.deepEqual(await letters.redriveAll({ group: 'a.1' }).then((all) => all.map(({ outcome }) => outcome)), [
        'redriven',
      ]);
      const again = await take(scene, 'a.1');
      assert.equal(again.text(), 'x');
      await again.ack();
      assert.deepEqual(
        (await letters.list()).map(({ group }) => group),
        ['b'],
      );
    }));

  test(`${on}: a member that goes leaves what was put back to the members that stay, and the last one takes it along`, () =>
    play(open, {}, async (scene) => {
      const { broker, memphis, station } = scene;
      const options = { group: 'g', maxAckTimeMs: 20_000, maxMsgDeliveries: 3 };
      await memphis.produce(station, 'x');
      await (await take(scene)).deadLetter('no');
      await using other = await connect({ servers: [broker.url], ...(broker.apiUrl && { apiUrl: broker.apiUrl }) });
      const member = await other.createConsumer(station, options);
      assert.deepEqual(await member.fetch({ batchMaxWaitMs: 0 }), []);
      const [put] = await memphis.station(station).deadLetters().redriveAll();
      assert.equal(put?.outcome, 'redriven');
      await member.destroy();
      assert.equal((await take(scene)).text(), 'x');
      const last = await memphis.createConsumer(station, options);
      await last.destroy();
      assert.deepEqual((await memphis.describeStation(station)).groups, []);
    }));

  test(
    `${on}: on stations of every retention, linked or not, a dead letter has its message, its reason, and a copy where one is due`,
    since131,
    async () => {
      await using broker = await open();
      const memphis = await connect({ servers: [broker.url], ...(broker.apiUrl && { apiUrl: broker.apiUrl }) });
      const retentions = [
        { retentionType: 'message_age_sec', retentionValue: 600 },
        { retentionType: 'messages', retentionValue: 100 },
        { retentionType: 'bytes', retentionValue: 1_000_000 },
        { retentionType: 'ack_based' },
      ] as const;
      const check = async (options: StationOptions): Promise<void> => {
        const station = freshName('dls');
        await memphis.createStation(station, { storageType: 'memory', ...options });
        const scene = { broker, memphis, station };
        const empty = { group: 'g', maxAckTimeMs: 20_000, maxMsgDeliveries: 3, batchMaxWaitMs: 0 };
        assert.deepEqual(await memphis.fetchMessages(station, empty), []); // ack_based keeps nothing before there is a group
        await memphis.produce(station, { n: 1 }, { headers: { a: 'b' } });
        await (await take(scene)).deadLetter('no such customer');
        const [letter, ...more] = await memphis.station(station).deadLetters().list();
        assert.deepEqual([letter?.json(), letter?.headers, letter?.reason], [{ n: 1 }, { a: 'b' }, 'no such customer']);
        assert.equal(more.length, 0);
        if (options.dlsStation !== undefined) {
          const [copy] = await memphis.fetchMessages(options.dlsStation, { group: 'w', batchMaxWaitMs: 5_000 });
          assert.deepEqual(copy?.json(), { n: 1 });
          await memphis.station(options.dlsStation).destroy();
        }
        await memphis.station(station).destroy();
      };
      const checks = retentions.flatMap((one) => [check(one), check({ ...one, dlsStation: freshName('linked') })]);
      await Promise.all(checks).finally(() => memphis.close());
    },
  );

  test(`${on}: a repeat of what no group wanted to have kept is told as one`, since131, () =>
    play(open, { retentionType: 'ack_based' }, async ({ memphis, station }) => {
      assert.equal((await memphis.produce(station, 'x', { msgId: '1' })).duplicate, false);
      assert.equal((await memphis.produce(station, 'x', { msgId: '1' })).duplicate, true);
    }),
  );
}

test('a dead letter that a killed broker has passed over is handed in again with the next one, whoever that is of', () =>
  play(memphisBrokers[0]?.open ?? assert.fail(), {}, async (scene) => {
    const { memphis, station, broker } = scene;
    const standIn = broker.standIn ?? assert.fail();
    for (const text of ['a', 'b']) await memphis.produce(station, text);
    const passed = standIn.passOver();
    await (await take(scene)).deadLetter('first');
    await passed;
    const other = await connect({ servers: [broker.url] });
    try {
      await (await take({ ...scene, memphis: other })).deadLetter('second');
    } finally {
      await other.close();
    }
    for (const untilMs = Date.now() + 10_000; standIn.tables.deadLetters.length < 2 && Date.now() < untilMs; ) {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    assert.equal(standIn.tables.deadLetters.length, 2);
  }));

test('functions of a second hand in again what was passed over, too: one looks, a later one has it seen, however many come between', () =>
  play(memphisBrokers[0]?.open ?? assert.fail(), {}, async (scene) => {
    const { memphis, station, broker } = scene;
    const standIn = broker.standIn ?? assert.fail();
    await memphis.produce(station, 'a');
    const passed = standIn.passOver();
    await (await take(scene)).deadLetter('first');
    await passed;
    const consume = withMemphis(
      () => {
        throw new DeadLetter({ reason: 'why' });
      },
      { servers: [broker.url], station, group: 'short', batchMaxWaitMs: 0 },
    );
    for (let invocations = 1; invocations <= 8; invocations++) {
      await memphis.produce(station, 'b');
      await consume({}, makeContext({ timeoutMs: 1_000 })).catch(() => {});
      await sleep(200);
    }
    const passedOver = () => standIn.tables.deadLetters.some(({ groups }) => groups.includes('g'));
    for (const untilMs = Date.now() + 5_000; !passedOver() && Date.now() < untilMs; ) await sleep(50);
    assert.ok(passedOver());
  }));
