/** What a broker that was killed has passed over of the dead letters that it was handed. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startPull } from '../../../src/brokers/jetstream/wire/pull.ts';
import { untilAdvisoriesAreRead } from '../../../src/brokers/memphis/advisories-read.ts';
import { handInPassedOver, noticesOf } from '../../../src/brokers/memphis/passed-over.ts';
import type { Link } from '../../../src/connection/link.ts';
import { makeLink } from '../../../src/connection/open.ts';
import type { Connection } from '../../../src/connection/port.ts';
import { connectOptions } from '../../../src/model/options/connect.ts';
import { resolveOptions } from '../../../src/model/resolve-options.ts';
import { startBroker } from '../../../src/testing/index.ts';
import { serversUnderTest } from '../../support/servers.ts';

const STREAM = '$memphis_dls_unacked';
const READER = '$memphis_dls_unacked_consumer';
const SUBJECT = '$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.s$1.g';
const [server] = serversUnderTest();

/** A stream of notices and its reader, which leaves in the stream what it has acked: as one does that has passed it over. */
async function play(
  run: (scene: {
    readonly link: Link;
    readonly connection: Connection;
    ask(subject: string, body: object): Promise<void>;
    /** What comes next. */
    readOne(ack: boolean): Promise<string[]>;
  }) => Promise<void>,
): Promise<void> {
  await using broker = await startBroker(server === undefined ? {} : { binary: server.binary });
  const link = makeLink(resolveOptions('connect', connectOptions, { servers: [broker.url] }));
  try {
    const connection = await link.ready(Date.now() + 5_000);
    const ask = async (subject: string, body: object): Promise<void> => {
      await connection.request(subject, Buffer.from(JSON.stringify(body)), { timeoutMs: 5_000 });
    };
    await ask(`$JS.API.STREAM.CREATE.${STREAM}`, { name: STREAM, subjects: [SUBJECT], storage: 'memory' });
    const config = { durable_name: READER, ack_policy: 'explicit' };
    await ask(`$JS.API.CONSUMER.DURABLE.CREATE.${STREAM}.${READER}`, { stream_name: STREAM, config });
    const readOne = async (ack: boolean): Promise<string[]> => {
      const texts: string[] = [];
      const request = { stream: STREAM, durable: READER, batch: 1, waitMs: 5_000, mayHang: false, silenceMs: 6_000 };
      await startPull(connection, request, ({ data, reply }) => {
        texts.push(new TextDecoder().decode(data));
        if (ack) connection.publish(reply, Buffer.from('+ACK'));
      }).ended;
      await connection.flush(5_000);
      return texts;
    };
    await connection.request(SUBJECT, Buffer.from('notice'), { timeoutMs: 5_000 });
    await run({ link, connection, ask, readOne });
  } finally {
    await link.close();
  }
}

test('a notice that its reader has passed over is handed in again, and read', () =>
  play(async ({ link, ask, readOne }) => {
    assert.deepEqual(await readOne(true), ['notice']);
    const reading = untilAdvisoriesAreRead(link);
    assert.deepEqual(await readOne(true), ['notice'], 'handed in again');
    await ask(`$JS.API.STREAM.MSG.DELETE.${STREAM}`, { seq: 2 }); // a work queue does that with an ack
    await reading;
  }));

test('looking for notices that were passed over ends when its time is over', () =>
  play(async ({ connection, readOne }) => {
    assert.deepEqual(await readOne(true), ['notice']);
    const startedAt = Date.now();
    assert.equal(await handInPassedOver(connection, 30), 0);
    assert.ok(Date.now() - startedAt < 480, 'it waits for half a second where there is time');
  }));

test('a notice that its reader had in hand for long is handed in again, one that it has just got is not', () =>
  play(async ({ connection, readOne }) => {
    assert.deepEqual(await readOne(false), ['notice']);
    assert.equal(await handInPassedOver(connection, 5_000, 600_000), 0);
    assert.equal(await handInPassedOver(connection, 5_000, -1), 2);
    assert.deepEqual(await readOne(true), ['notice']);
    const { first, last } = await noticesOf(connection, 5_000);
    assert.deepEqual([first, last], [2, 2], 'and the first is gone');
  }));

test('with too little time to wait, one look finds what was passed over, and a later one hands it in', () =>
  play(async ({ connection, readOne }) => {
    assert.deepEqual(await readOne(true), ['notice']);
    const earlier = { first: 0, atMs: 0 };
    const look = (): Promise<number> => handInPassedOver(connection, 300, undefined, earlier);
    assert.equal(await look(), 0);
    assert.equal(await look(), 0, 'too soon: what is settled may be about to go');
    await new Promise((resolve) => setTimeout(resolve, 510));
    assert.equal(await look(), 2);
    assert.deepEqual(await readOne(true), ['notice']);
  }));

test('a notice that goes while it is looked at does not end the waiting for those behind it', () =>
  play(async ({ connection, ask, readOne }) => {
    await connection.request(SUBJECT, Buffer.from('another'), { timeoutMs: 5_000 });
    assert.deepEqual(await readOne(true), ['notice']);
    assert.deepEqual(await readOne(false), ['another']);
    let isRead = false;
    // somebody else hands it in at the same time
    const watched = Object.create(connection, {
      request: {
        value: async (subject: string, ...rest: never[]) => {
          if (subject.startsWith('$JS.API.STREAM.MSG.GET'))
            await ask(`$JS.API.STREAM.MSG.DELETE.${STREAM}`, { seq: 1 });
          return await (connection.request as (...all: unknown[]) => Promise<unknown>)(subject, ...rest);
        },
      },
    }) as Connection;
    const reading = untilAdvisoriesAreRead({ ready: async () => watched } as unknown as Link).then(() => {
      assert.ok(isRead, 'not before the other one was read');
    });
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    isRead = true;
    await ask(`$JS.API.STREAM.MSG.DELETE.${STREAM}`, { seq: 2 });
    await reading;
  }));
