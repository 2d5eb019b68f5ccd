/** Servers that may pass over a message, and that who makes a station hears of it. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { passesOver } from '../../../src/brokers/jetstream/passes-over.ts';
import { connect } from '../../../src/index.ts';
import { freshName } from '../../support/memphis/brokers.ts';
import { startStandIn } from '../../support/memphis/stand-in.ts';

test('the versions that pass over a message are told from those that do not', () => {
  const of = (isMemphis: boolean, versions: readonly string[]) =>
    versions.filter((version) => passesOver({ version, isMemphis }));
  const servers = [
    '2.9.10',
    '2.9.16',
    '2.9.17',
    '2.9.25',
    '2.10.0',
    '2.10.9',
    '2.10.10',
    '2.10.29',
    '2.11.0',
    '2.15.1',
  ];
  assert.deepEqual(of(false, servers), ['2.9.17', '2.9.25', '2.10.0', '2.10.9']);
  // 1.4.3 and 1.4.4 say 2.10.7
  assert.deepEqual(of(true, ['1.2.0', '1.3.1', '1.4.0', '1.4.1', '1.4.2', '2.10.7']), ['1.4.2', '2.10.7']);
});

test('who makes an ack_based station on such a server is warned, once; nobody is on others', async () => {
  const told: string[] = [];
  const hear = (warning: Error & { code?: string }): void => {
    if (warning.code === 'MEMPHIS_PASSED_OVER') told.push(warning.message);
  };
  process.on('warning', hear);
  try {
    for (const version of ['1.4.1', '2.10.7']) {
      await using standIn = await startStandIn({ version });
      const memphis = await connect({ servers: [standIn.url] });
      await memphis.createStation(freshName('aged'), { storageType: 'memory' });
      for (const name of ['first', 'second']) {
        await memphis.createStation(freshName(name), { retentionType: 'ack_based', storageType: 'memory' });
      }
      await memphis.close();
    }
    process.emitWarning('that all were heard', { code: 'MEMPHIS_TEST' });
    await once(process, 'warning');
    assert.equal(told.length, 1);
    assert.match(told[0] ?? '', /^Station first\..* is ack_based/);
  } finally {
    process.off('warning', hear);
  }
});
