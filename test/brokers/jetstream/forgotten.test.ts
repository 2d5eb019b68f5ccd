/** A broker that was killed may have forgotten its latest deliveries: nothing is taken for settled that it does not know. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readersOf } from '../../../src/brokers/readers.ts';
import { openLean } from '../../../src/connection/lean/session.ts';
import { connect, isMemphisError } from '../../../src/index.ts';
import { startBroker } from '../../../src/testing/start-broker.ts';
import { withRawApi } from '../../support/raw-api.ts';
import { serversUnderTest } from '../../support/servers.ts';

for (const { binary, version } of serversUnderTest()) {
  const skip = version.startsWith('2.9.') && 'it answers the ack of a delivery that it never made';
  test(`nats-server ${version}: an older delivery does not vouch for a forgotten one`, { skip }, async () => {
    await using broker = await startBroker({ binary });
    const memphis = await connect({ servers: [broker.url] });
    const raw = openLean({ server: `127.0.0.1:${broker.port}`, name: 'raw', timeoutMs: 2_000 });
    try {
      await memphis.createStation('jobs', { storageType: 'memory' });
      await memphis.produceBatch('jobs', ['older', 'newer']);
      const reader = readersOf(await memphis.session.broker()).reader({
        station: 'jobs',
        group: 'g',
        ackWaitMs: 30_000,
        maxDeliveries: 5,
      });
      const { messages, settle } = await reader.pull({ batchSize: 2, waitMs: 1_000, settleByMs: Date.now() + 8_000 });
      const [older, newer] = messages;
      assert.ok(older && newer);
      // the durable as it was when it had made one delivery
      await withRawApi(broker.port, async (api) => {
        const { config } = await api('CONSUMER.INFO.jobs$1.g');
        await api('CONSUMER.DELETE.jobs$1.g');
        await api('CONSUMER.DURABLE.CREATE.jobs$1.g', { stream_name: 'jobs$1', config });
      });
      await new Promise<void>((resolve) => {
        const { subject: reply } = raw.subscribe('', { onFrame: () => resolve() });
        raw.publish('$JS.API.CONSUMER.MSG.NEXT.jobs$1.g', Buffer.from('{"batch":1}'), { reply });
      });
      const [ofNewer, ofOlder] = await Promise.allSettled([
        settle(newer, { action: 'ack' }),
        settle(older, { action: 'ack' }),
      ]);
      assert.equal(ofOlder.status === 'fulfilled' && ofOlder.value, 'acked');
      assert.ok(ofNewer.status === 'rejected' && isMemphisError(ofNewer.reason, 'SETTLE_UNCONFIRMED'));
    } finally {
      await raw.close();
      await memphis.close();
    }
  });
}
