/** What a broker that was killed has passed over of the dead letters that it was handed. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startPull } from '../../../src/brokers/jetstream/wire/pull.ts';
import { untilAdvisoriesAreRead } from '../../../src/brokers/memphis/advisories-read.ts';
import { makeLink } from '../../../src/connection/open.ts';
import { connectOptions } from '../../../src/model/options/connect.ts';
import { resolveOptions } from '../../../src/model/resolve-options.ts';
import { startBroker } from '../../../src/testing/index.ts';
import { serversUnderTest } from '../../support/servers.ts';

const STREAM = '$memphis_dls_unacked';
const READER = '$memphis_dls_unacked_consumer';
const SUBJECT = '$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.s$1.g';
const [server] = serversUnderTest();

test('a notice that its reader has passed over is handed in again, and read', async () => {
  await using broker = await startBroker(server === undefined ? {} : { binary: server.binary });
  const link = makeLink(resolveOptions('connect', connectOptions, { servers: [broker.url] }));
  try {
    const connection = await link.ready(Date.now() + 5_000);
    const ask = async (subject: string, body: object): Promise<void> => {
      await connection.request(subject, Buffer.from(JSON.stringify(body)), { timeoutMs: 5_000 });
    };
    // a reader that leaves what it has acked: as one does whose stream has forgotten the ack
    await ask(`$JS.API.STREAM.CREATE.${STREAM}`, { name: STREAM, subjects: [SUBJECT], storage: 'memory' });
    const config = { durable_name: READER, ack_policy: 'explicit' };
    await ask(`$JS.API.CONSUMER.DURABLE.CREATE.${STREAM}.${READER}`, { stream_name: STREAM, config });
    const readOne = async (): Promise<string[]> => {
      const texts: string[] = [];
      const request = { stream: STREAM, durable: READER, batch: 1, waitMs: 5_000, mayHang: false, silenceMs: 6_000 };
      await startPull(connection, request, ({ data, reply }) => {
        texts.push(new TextDecoder().decode(data));
        connection.publish(reply, Buffer.from('+ACK'));
      }).ended;
      await connection.flush(5_000);
      return texts;
    };
    await connection.request(SUBJECT, Buffer.from('notice'), { timeoutMs: 5_000 });
    assert.deepEqual(await readOne(), ['notice']);
    const reading = untilAdvisoriesAreRead(link);
    assert.deepEqual(await readOne(), ['notice'], 'handed in again');
    await ask(`$JS.API.STREAM.MSG.DELETE.${STREAM}`, { seq: 2 }); // a work queue does that with an ack
    await reading;
  } finally {
    await link.close();
  }
});
