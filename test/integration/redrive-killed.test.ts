/** A program is killed while it puts dead letters back: each ends put back or a dead letter still, none is lost. */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { test } from 'node:test';
import { connect } from '../../src/index.ts';
import { startBroker } from '../../src/testing/start-broker.ts';
import { serversUnderTest } from '../support/servers.ts';

const COUNT = 400;
const program = join(import.meta.dirname, '../support/redriving.ts');

for (const { binary, version } of serversUnderTest()) {
  test(`nats-server ${version}: putting back is killed, and taken up by another process`, async () => {
    await using broker = await startBroker({ binary });
    const memphis = await connect({ servers: [broker.url] });
    const options = { group: 'g', batchSize: 500, batchMaxWaitMs: 2_000, maxAckTimeMs: 60_000 };
    try {
      await memphis.createStation('jobs', { storageType: 'memory', partitionsNumber: 3 });
      await Promise.all(Array.from({ length: COUNT }, (_, index) => memphis.produce('jobs', String(index))));
      for (let left = COUNT; left > 0; ) {
        const batch = await memphis.fetchMessages('jobs', options);
        await Promise.all(batch.map((message) => message.deadLetter('why')));
        left -= batch.length;
      }
      const letters = memphis.deadLetters('jobs');
      const arguments_ = ['--conditions=@memphis-serverless/source', program, broker.url, 'jobs'];
      for (const killAfterMs of [0, 3, 7]) {
        const child = spawn(process.execPath, arguments_, { stdio: ['ignore', 'pipe', 'inherit'] });
        child.stdout.once('data', () => setTimeout(() => child.kill('SIGKILL'), killAfterMs));
        await once(child, 'exit');
      }
      const left = await letters.count();
      const results = await letters.redriveAll();
      assert.equal(results.length, left);
      const duplicates = results.filter(({ outcome }) => outcome === 'duplicate').map(({ id }) => id);
      assert.ok(results.every(({ outcome }) => outcome === 'redriven' || outcome === 'duplicate'));
      assert.deepEqual(
        (await letters.list({ limit: 1_000 })).map(({ id }) => id),
        duplicates,
        'what may be there twice is said, and stays',
      );
      const back: string[] = [];
      // readers look every few seconds whether another process has put something back
      for (let empty = 0; empty < 3; ) {
        const batch = await memphis.fetchMessages('jobs', options);
        empty = batch.length === 0 ? empty + 1 : 0;
        for (const message of batch) back.push(message.text());
        await Promise.all(batch.map((message) => message.ack()));
      }
      assert.equal(new Set(back).size, COUNT, 'none is lost');
      assert.equal(back.length, COUNT, 'none is delivered twice');
    } finally {
      await memphis.close();
    }
  });
}
