/** Settling ends by its time, whichever of its steps stays without an answer. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readersOf } from '../../../src/brokers/readers.ts';
import { connect, isMemphisError } from '../../../src/index.ts';
import { startBroker } from '../../../src/testing/start-broker.ts';
import { deafConnection } from '../../support/deaf-connection.ts';
import { giveBackUnseen, openDeafReader } from '../../support/deaf-reader.ts';
import { serversUnderTest } from '../../support/servers.ts';

/** How long settling may take, and what would be too much: each of these steps had a second of its own, or twenty. */
const LIMIT_MS = 600;
const TOO_LONG_MS = 950;
const options = { station: 'jobs', group: 'g', ackWaitMs: 30_000, maxDeliveries: 1 } as const;

for (const { binary, version } of serversUnderTest()) {
  test(`nats-server ${version}: a linked station that has to be made is waited for no longer than settling may take`, async () => {
    await using broker = await startBroker({ binary });
    const deaf = deafConnection(`127.0.0.1:${broker.port}`);
    const memphis = await connect({ connection: deaf.connection });
    await memphis.createStation('jobs', { storageType: 'memory', dlsStation: 'dead' });
    await memphis.station('dead').destroy();
    await memphis.produce('jobs', 'x');
    const reader = readersOf(await memphis.session.broker()).reader(options);
    const batch = await reader.pull({ batchSize: 1, waitMs: 1_000, settleByMs: Date.now() + 1_000 });
    const [message] = batch.messages;
    assert.ok(message);
    deaf.deafen('$JS.API.STREAM.CREATE.dead$');
    const startedAt = Date.now();
    await assert.rejects(batch.settle(message, { action: 'deadLetter', reason: 'bad' }), (error) =>
      isMemphisError(error, 'SETTLE_UNCONFIRMED'),
    );
    assert.ok(Date.now() - startedAt < 5_000, `${Date.now() - startedAt} ms`);
    assert.ok(deaf.unheard > 0);
    await memphis.close();
  });

  test(`nats-server ${version}: a note that is taken away is waited for no longer than settling may take`, async () => {
    await using broker = await startBroker({ binary });
    await using scene = await openDeafReader(broker.port, options);
    const { deaf, reader } = scene;
    await giveBackUnseen(reader, 1);
    const again = await reader.pull({ batchSize: 1, waitMs: 0, settleByMs: Date.now() + LIMIT_MS });
    const [message] = again.messages;
    assert.ok(message);
    deaf.deafen('$JS.API.STREAM.PURGE.');
    const startedAt = Date.now();
    assert.equal(await again.settle(message, { action: 'ack' }), 'acked');
    assert.ok(Date.now() - startedAt < TOO_LONG_MS, `${Date.now() - startedAt} ms`);
    assert.equal(deaf.unheard, 1);
  });
}
