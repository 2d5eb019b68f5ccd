/** What is asked of a Memphis broker, and when: each request of a cold start costs one, and warm ones are to have none. */

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { readersOf } from '../../../src/brokers/readers.ts';
import { makeSession } from '../../../src/client/session.ts';
import { openLean } from '../../../src/connection/lean/session.ts';
import { connectOptions } from '../../../src/model/options/connect.ts';
import { resolveOptions } from '../../../src/model/resolve-options.ts';
import { type FaultScene, STATION, scene } from '../../support/memphis/scene.ts';

const fetchOptions = { group: 'g', batchMaxWaitMs: 0 };

/** What is asked from now on, each thing once: the stand-in makes durables too. Asked for, it begins anew. */
async function listen(t: TestContext, { standIn }: FaultScene): Promise<() => Promise<string[]>> {
  const ear = openLean({ server: `127.0.0.1:${standIn.server.port}`, name: 'ear', timeoutMs: 5_000 });
  t.after(() => ear.close());
  const heard = new Set<string>();
  const subjects = ['producer', 'consumer'].map((what) => `$memphis_${what}_creations`);
  for (const subject of ['$JS.API.STREAM.>', '$JS.API.CONSUMER.>', ...subjects]) {
    ear.subscribe(subject, {
      onFrame: (frame) => {
        // the reader of dead letters is the stand-in's own
        if (!frame.subject.includes('$memphis_dls_unacked')) heard.add(frame.subject.replace('$JS.API.', ''));
      },
    });
  }
  await ear.flush(5_000);
  return async () => {
    await sleep(50); // a registration leaves a turn later, on a connection of its own
    await ear.flush(5_000); // what the server has heard before is here
    const all = [...heard].sort();
    heard.clear();
    return all;
  };
}

test('a function asks for streams, copies and its durable beside its first pull, and registers; later it pulls, and that is all', async (t) => {
  const stage = await scene(t);
  await stage.memphis.produceBatch(STATION, ['a', 'b']);
  // as functions have it: what looks up schemas is not there
  const settings = resolveOptions('test', connectOptions, { servers: [stage.standIn.url], broker: 'memphis' });
  const session = makeSession(settings);
  t.after(() => session.close());
  const reader = readersOf(await session.broker()).reader({
    station: STATION,
    group: 'g',
    ackWaitMs: 30_000,
    maxDeliveries: 10,
  });
  const requests = await listen(t, stage);
  const handle = async (): Promise<void> => {
    const batch = await reader.pull({ batchSize: 1, waitMs: 0 });
    const [message] = batch.messages;
    assert.ok(message !== undefined);
    await batch.settle(message, { action: 'ack' });
  };
  await handle();
  // nobody waits for it: it may leave behind the ack
  const untilMs = Date.now() + 5_000;
  while (!stage.standIn.tables.isRegistered('g') && Date.now() < untilMs) await sleep(10);
  assert.deepEqual(await requests(), [
    '$memphis_consumer_creations',
    'CONSUMER.DURABLE.CREATE.jobs$1.g',
    'CONSUMER.MSG.NEXT.jobs$1.g',
    'CONSUMER.NAMES.jobs$retry',
    'STREAM.NAMES',
  ]);
  await handle();
  // for copies it looks again after two seconds
  const later = (await requests()).filter((subject) => !subject.startsWith('CONSUMER.NAMES.'));
  assert.deepEqual(later, ['CONSUMER.MSG.NEXT.jobs$1.g']);
});

test('a pull that finds nothing looks whether there are resends, and asks for none where there are not', async (t) => {
  const stage = await scene(t);
  const client = await stage.open();
  assert.deepEqual(await client.fetchMessages(STATION, fetchOptions), []);
  const requests = await listen(t, stage);
  assert.deepEqual(await client.fetchMessages(STATION, fetchOptions), []);
  assert.deepEqual(await requests(), ['CONSUMER.INFO.jobs$resent$g.g', 'CONSUMER.MSG.NEXT.jobs$1.g']);
});

test('a durable that is gone is told from an empty one long before an answer would be too late', async (t) => {
  const { standIn, memphis } = await scene(t);
  assert.deepEqual(await memphis.fetchMessages(STATION, fetchOptions), []);
  const other = openLean({ server: `127.0.0.1:${standIn.server.port}`, name: 'other', timeoutMs: 5_000 });
  t.after(() => other.close());
  await other.request(`$JS.API.CONSUMER.DELETE.${STATION}$1.g`, new Uint8Array(), { timeoutMs: 5_000 });
  await memphis.produce(STATION, 'a');
  const startedAt = Date.now();
  const [message] = await memphis.fetchMessages(STATION, fetchOptions);
  assert.equal(message?.text(), 'a');
  assert.ok(Date.now() - startedAt < 800, 'a silent pull has a second');
});

test('a first produce asks for streams and settings beside the message, and registers; a second one asks for nothing', async (t) => {
  const stage = await scene(t);
  const client = await stage.open();
  const requests = await listen(t, stage);
  await client.produce(STATION, 'a');
  assert.deepEqual(await requests(), ['$memphis_producer_creations', 'STREAM.INFO.jobs$1', 'STREAM.NAMES']);
  await client.produce(STATION, 'b');
  assert.deepEqual(await requests(), []);
});

test('who has read from a station before knows what it may hold, too, when it produces', async (t) => {
  const { open } = await scene(t, { retentionType: 'bytes', retentionValue: 2_000 });
  const client = await open();
  assert.deepEqual(await client.fetchMessages(STATION, fetchOptions), []);
  await assert.rejects(client.produce(STATION, 'x'.repeat(3_000)), { code: 'PAYLOAD_TOO_LARGE' });
});
