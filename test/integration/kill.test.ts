/** A process killed with SIGKILL at each step, on its last delivery too: the message comes back or is a dead letter. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { connect } from '../../src/index.ts';
import { type RunningBroker, startBroker } from '../../src/testing/start-broker.ts';
import { readDeadLetters } from '../support/dead-letters.ts';
import { serversUnderTest } from '../support/servers.ts';

const script = join(import.meta.dirname, '../support/crashing-function.ts');

function run(
  step: string,
  broker: RunningBroker,
  station: string,
): { readonly signal: string | null; readonly lines: unknown[] } {
  const result = spawnSync(
    process.execPath,
    ['--conditions=@memphis-serverless/source', script, step, broker.url, station, 'g'],
    { encoding: 'utf8', timeout: 20_000 },
  );
  assert.equal(result.error, undefined);
  const lines = result.stdout
    .split('\n')
    .filter(Boolean)
    .map((line): unknown => JSON.parse(line));
  return {
    signal: result.signal,
    lines: [...lines, ...(result.signal === null && result.status !== 0 ? [result.stderr] : [])],
  };
}

for (const { binary, version } of serversUnderTest()) {
  for (const step of ['after-fetch', 'in-handler', 'before-settle']) {
    test(`nats-server ${version}: killed ${step}, the message comes back`, async () => {
      await using broker = await startBroker({ binary });
      const memphis = await connect({ servers: [broker.url] });
      await memphis.createStation('jobs', { storageType: 'memory' });
      await memphis.produce('jobs', 'work');
      assert.equal(run(step, broker, 'jobs').signal, 'SIGKILL');
      const [line, summary] = run('none', broker, 'jobs').lines as [unknown, Record<string, unknown>];
      assert.deepEqual(line, [[1, 2]]);
      assert.equal(summary.acked, 1);
      await memphis.close();
    });

    test(`nats-server ${version}: killed ${step} on its last delivery and the one after, the message is a dead letter`, async () => {
      await using broker = await startBroker({ binary });
      const memphis = await connect({ servers: [broker.url] });
      await memphis.createStation('jobs', { storageType: 'memory' });
      await memphis.produce('jobs', 'work', { headers: { a: 'b' }, msgId: 'id-1' });
      for (let delivery = 1; delivery <= 2; delivery++) assert.equal(run(step, broker, 'jobs').signal, 'SIGKILL');
      // the next reader finds deliveries gone: no handler sees the message again
      const { lines } = run('none', broker, 'jobs');
      assert.equal(lines.length, 1, JSON.stringify(lines));
      const letters = await readDeadLetters(broker.port, 'jobs');
      assert.equal(letters.length, 1);
      assert.equal(letters[0]?.text, 'work');
      assert.equal(letters[0]?.headers.a, 'b');
      assert.equal(letters[0]?.headers['$memphis_kept_Nats-Msg-Id'], 'id-1');
      assert.equal(letters[0]?.headers.$memphis_dls_group, 'g');
      assert.match(letters[0]?.headers.$memphis_dls_reason ?? '', /no deliveries left/);
      await memphis.close();
    });
  }
}
